"""What the exceptions of LangChain's many providers mean.

Each brings its SDK's own classes, so the meaning is read off what they share: LangChain's error types, an HTTP
status or an error code somewhere in the chain of causes, Python's own timeout and connection errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp
from langchain_core import exceptions

from evolver.answers.failures import causes, from_exception, from_status
from evolver.answers.refusals import Refusal, read_refusal
from evolver.errors import ModelError, RowModelError, RunModelError, TransientModelError
from evolver.quoting import quote

_TYPES: tuple[tuple[type[BaseException], int], ...] = (
    (exceptions.ModelAuthenticationError, 401),
    (exceptions.ModelPermissionDeniedError, 403),
    (exceptions.ModelNotFoundError, 404),
    (exceptions.ModelInvalidRequestError, 400),
    (exceptions.ModelRateLimitError, 429),
    (exceptions.ModelAPIError, 500),
)
_UNREACHED = (exceptions.ModelConnectionError, aiohttp.ClientError, TimeoutError, OSError)
_BUGS = (
    TypeError,
    AttributeError,
    NameError,
    ImportError,
    AssertionError,
    NotImplementedError,
    RecursionError,
)
_THROTTLED = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException"})


def from_langchain(error: Exception, *, who: str, secrets: Iterable[str]) -> ModelError:
    """Turn whatever a chat model raised into the error that says what to do about it.

    An exception nobody knows is taken as passing, for retries are bounded and a failed attempt is recoverable; a
    mistake in a program (a ``TypeError`` and its like) stops the run, as every call would meet it.

    Args:
        error: What was raised.
        who: The model's name.
        secrets: Keys that the words may hold, besides those in the environment.
    """
    chain = list(causes(error))
    if any(isinstance(each, exceptions.ContextOverflowError) for each in chain):
        return RowModelError(f"{who} found the prompt too long: {quote(error, *secrets)}", "too_long")
    for each in chain:  # outermost first: below a broken connection, aiohttp's parser has codes of its own
        status = _status(each)
        if status is not None:
            return from_status(
                status, str(each), who=who, code=_code(each), headers=_headers(each), secrets=secrets
            )
        if isinstance(each, exceptions.ModelTimeoutError):
            return TransientModelError(f"{who} did not answer in time", "timeout")
        if isinstance(each, _UNREACHED):
            return from_exception(error, who=who, url="its provider", secrets=secrets)
    said = f"{type(error).__name__}: {quote(error, *secrets)}"
    if isinstance(error, _BUGS):
        return RunModelError(
            f"{who} raised {said}\nThat is a mistake in the model or its setup, so the run has stopped; "
            "what is paid for is stored. Put it right and run the same command again."
        )
    return TransientModelError(f"{who} raised {said}", "unknown")


def refusal_in(error: BaseException) -> Refusal:
    """What a chain of causes says about parameters: the provider's body where an SDK keeps it, else its words."""
    said: list[object] = []
    code = param = None
    for each in causes(error):
        body = getattr(each, "body", None)
        said.append(body if isinstance(body, dict | list) else str(each))
        code = code or _code(each)
        field = getattr(each, "param", None)
        param = param or (field if isinstance(field, str) else None)
    return read_refusal(said, code=code, param=param)


def _status(error: BaseException) -> int | None:
    if _code(error) in _THROTTLED:
        return 429
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):  # botocore
        candidates = [_dig(response, "ResponseMetadata", "HTTPStatusCode")]
    else:
        names = ("status_code", "http_status", "status", "code")
        candidates = [getattr(error, name, None) for name in names] + [getattr(response, "status_code", None)]
    for each in candidates:
        if isinstance(each, int) and 300 <= each < 600:
            return int(each)
    return next((status for kind, status in _TYPES if isinstance(error, kind)), None)


def _code(error: BaseException) -> str | None:
    response = getattr(error, "response", None)
    code = _dig(response, "Error", "Code") if isinstance(response, Mapping) else getattr(error, "code", None)
    if code is None or isinstance(code, int):
        code = _dig(getattr(error, "body", None), "error", "type")
    return code if isinstance(code, str) else None


def _headers(error: BaseException) -> Mapping[str, str]:
    headers = getattr(getattr(error, "response", None), "headers", None)
    return headers if isinstance(headers, Mapping) else {}


def _dig(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
