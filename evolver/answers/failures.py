"""What a provider's failure means: wait and ask again, give up the request, or stop the run.

The providers' modules bring what they caught (an HTTP status, the error's code, headers, a chain of exceptions);
the decision is made here once. It never rests on the text of a message: texts differ between
providers and versions, codes and types are their contract.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from evolver.answers.clock import date_of
from evolver.answers.mends import Asked, mend
from evolver.errors import ModelError, RowModelError, RunModelError, TransientModelError
from evolver.quoting import public_url, quote

_STOPS_THE_RUN = frozenset(
    {
        # OpenAI and the servers that speak like it
        "account_deactivated",
        "billing_hard_limit_reached",
        "billing_not_active",
        "insufficient_quota",
        "invalid_api_key",
        "model_decommissioned",
        "model_not_found",
        # Anthropic
        "billing_error",
        "cmek_key_disabled",
        "cmek_key_network_blocked",
        "contract_spend_limit_reached",
        "enforced_spend_limit_reached",
        "linked_organization_spend_limit_reached",
        "organization_on_hold",
        "organization_type_not_supported",
    }
)
_FILTERED = frozenset(
    {"content_filter", "content_policy_violation", "moderation_blocked", "ResponsibleAIPolicyViolation"}
)
_TOO_LONG = frozenset({"context_length_exceeded", "request_too_large", "string_above_max_length"})

RUN_STOPPED = (
    "The run has stopped and what is paid for is stored; put this right and run the same command again."
)
"""The last line of what ends a run; whoever has none leaves it out."""

_WRONG_ADDRESS = frozenset({404, 405, 410, 426, 451})
_LONGEST_CODE = 80
_FIRST_WORDS = 200  # characters that show what it is that a server sent instead of a completion
_FIRST_BYTES = 4_000
_RESET = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def from_status(
    status: int,
    said: str,
    *,
    who: str,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    secrets: Iterable[str] = (),
    asked: Asked | None = None,
) -> ModelError:
    """Turn an HTTP answer that is not a completion into the error that says what to do about it.

    Args:
        status: HTTP status, or the status a gateway put into the body of a 200.
        said: The provider's own words; quoted, never read.
        who: The model as the user wrote it, ``openai:NAME``.
        code: The provider's machine-readable code, which outranks the status.
        headers: Case-insensitive headers of the answer, for Retry-After.
        secrets: Keys that the words may hold, besides those in the environment.
        asked: The address, the model and the key's variable, for the sentence that says what to do.
    """
    told = f" ({quote(code, *secrets, longest=_LONGEST_CODE)})" if code else ""
    message = f"{who} answered {status}{told}: {quote(said, *secrets)}"
    if 300 <= status < 400:
        where = _where(headers, secrets)
        return _stop(
            f"{message}\nIt sends on to {where}, which is not followed: the key would go there. "
            "If that is where the server is, write its address as the base URL."
        )
    if code in _STOPS_THE_RUN:
        return _stop(message, mend(status, code, asked))
    if code in _FILTERED:
        return RowModelError(message, "content_filter")
    if code in _TOO_LONG or status == 413:
        return RowModelError(message, "too_long")
    if status == 429:
        wait = retry_after(headers or {})
        return TransientModelError(message, "rate_limited", retry_after=wait, overload=True)
    if status in (408, 409, 425) or status >= 500:
        return _transient(status, message, headers or {})
    if status in (401, 402, 403) or status in _WRONG_ADDRESS or status < 400:
        return _stop(message, mend(status, code, asked))
    return RowModelError(message, "bad_request")


def _transient(status: int, message: str, headers: Mapping[str, str]) -> TransientModelError:
    overload = status in (503, 529)
    kind = "overloaded" if overload else "timeout" if status == 408 else "server_error"
    return TransientModelError(message, kind, retry_after=retry_after(headers), overload=overload)


def _where(headers: Mapping[str, str] | None, secrets: Iterable[str]) -> str:
    location = (headers or {}).get("location")
    return quote(public_url(location), *secrets) if location else "another address"


def _stop(message: str, mend: str = "") -> RunModelError:
    return RunModelError("\n".join(part for part in (message, mend, RUN_STOPPED) if part))


def from_exception(
    error: BaseException, *, who: str, url: str, secrets: Iterable[str] = ()
) -> TransientModelError:
    """Turn a failure below HTTP into a transient error whose sentence names the real cause.

    The SDKs report a refused connection as a timeout when they run on aiohttp, so the chain of causes is
    read, not the exception they raise.
    """
    import aiohttp  # offline runs load this module, too, and never need it
    import httpx2  # as above

    chain = list(causes(error))
    too_long = (aiohttp.http_exceptions.LineTooLong, aiohttp.http_exceptions.InvalidHeader)
    # The SDKs say of a body that was broken off, too, that it cannot be decoded.
    broken = any(isinstance(each, aiohttp.ClientError) for each in chain)
    undecoded = isinstance(chain[0], httpx2.DecodingError) and not broken
    if undecoded or any(isinstance(each, too_long) for each in chain):
        return malformed(f"what HTTP cannot carry: {_innermost(chain, secrets)}", who=who)
    refused = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
    unreached = next((each for each in chain if isinstance(each, refused)), None)
    if unreached is not None:
        said = _innermost(chain, secrets)
        why = why_unreached(unreached, said, url)
        return TransientModelError(f"cannot reach {url} for {who}: {why}", "connection")
    if any(isinstance(each, TimeoutError) for each in chain):
        return TransientModelError(f"{who} did not answer in time", "timeout")
    return TransientModelError(
        f"the connection of {who} to {url} broke: {_innermost(chain, secrets)}", "connection"
    )


def why_unreached(error: BaseException, said: str, url: str) -> str:
    """Say why no connection came about, and what to do: a name, a port, a certificate, or nobody at all."""
    import aiohttp  # as above

    where = urlsplit(url)
    place = where.netloc
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {where.hostname} does not resolve ({said}). Look at the spelling, the network and the DNS"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not trusted ({said}). Name the file of your authority in SSL_CERT_FILE"
    if isinstance(error, aiohttp.ClientSSLError):
        return f"no TLS at {place} ({said}). Write http:// if that server has no TLS"
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        if where.scheme == "https":
            return (
                f"nobody takes the connection at {place}, or what is there has no TLS. Look at the host, the port and "
                "the firewall, and write http:// if that server has no TLS"
            )
        return f"nobody takes the connection at {place}. Look at the host, the port and the firewall"
    return f"nothing listens at {place} ({said}). Start the server, or look at the host and the port"


def malformed(what: str, *, who: str, said: object = None) -> TransientModelError:
    """An answer that is no completion: a proxy's page, half a body, an empty object, more than anybody asked for.

    Its first words are quoted where ``said`` has any; bytes are read as UTF-8.
    """
    text = said[:_FIRST_BYTES].decode("utf-8", "replace") if isinstance(said, bytes) else said
    words = "" if text is None else quote(text, longest=_FIRST_WORDS)
    return TransientModelError(f"{who} answered with {what}" + (f": {words}" if words else ""), "malformed")


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Read how many seconds the provider asks to wait; ``None`` where it says nothing that can be read.

    In this order: ``retry-after-ms``; ``retry-after`` in seconds or as an HTTP date (against ``now``, by default the
    answer's own ``date``, and without one this machine's clock; a date in the past is 0);
    ``x-ratelimit-reset-requests`` or ``-tokens``, such as ``6m0s``, where the like-named ``remaining`` is 0.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    if text is not None:
        seconds = _number(text)
        then = now or date_of(headers.get("date")) or datetime.now(UTC)
        return seconds if seconds is not None else _until(text, then)
    waits = [
        _duration(headers.get(f"x-ratelimit-reset-{what}", ""))
        for what in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{what}") == "0"
    ]
    return max((wait for wait in waits if wait is not None), default=None)


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _until(text: str, now: datetime) -> float | None:
    then = date_of(text)
    return None if then is None else max(0.0, (then - now).total_seconds())


def _duration(text: str) -> float | None:
    parts = _RESET.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what it was raised from, outermost first; a chain that bites its tail ends."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _innermost(chain: list[BaseException], secrets: Iterable[str]) -> str:
    last = next((each for each in reversed(chain) if str(each)), chain[-1])
    return quote(str(last) or type(last).__name__, *secrets)
