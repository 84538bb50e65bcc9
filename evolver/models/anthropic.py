"""Anthropic's messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import anthropic

from evolver.errors import ModelError, RunModelError
from evolver.models.failures import from_status, malformed, quote, redact
from evolver.models.keys import checked_base_url, read_key
from evolver.models.protocol import Completion, Request
from evolver.models.sdk import SdkErrors, Wire, count, limits, mended, timeouts

if TYPE_CHECKING:
    from evolver.models.batch.protocol import BatchApi

_FINISH = {
    None: "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
}
_INPUT_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_MAX_TEMPERATURE = 1.0


class AnthropicModel:
    """A model behind Anthropic's messages API.

    The key is ``ANTHROPIC_API_KEY`` alone; with ``base_url`` it may be missing. ``timeout`` limits a whole call,
    in seconds. There is no frequency penalty here; it is not sent. Newer models refuse temperature and top-p
    together, some refuse either; the API does not say which parameter it refuses, so
    the first refused call is tried with less of them, what is accepted is kept, and
    ``on_notice`` is told once.

    Raises:
        SettingsError: No key, or a base URL that is no address. Nothing was sent.
    """

    provider = "anthropic"

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        timeout: float = 600.0,
        on_notice: Callable[[str], None] | None = None,
    ) -> None:
        self.name = f"anthropic:{name}"
        self._model = name
        self._key = read_key("ANTHROPIC_API_KEY", base_url=base_url)
        self._on_notice = on_notice
        self._accepted: dict[tuple[str, ...], tuple[str, ...]] = {}
        http = anthropic.DefaultAioHttpClient(limits=limits())
        self._client = anthropic.AsyncAnthropic(
            api_key=self._key,
            base_url=checked_base_url(base_url),
            timeout=timeouts(timeout),
            max_retries=0,
            http_client=http,
        )
        self._wire = Wire(
            self._client,
            http,
            "/v1/messages",
            who=self.name,
            timeout=timeout,
            errors=SdkErrors(anthropic.APIStatusError, lambda body: body, anthropic.AnthropicError),
        )
        self.base_url = self._wire.url

    async def complete(self, request: Request) -> Completion:
        """Answer ``request``; parameters the model refuses are left out and the call sent again at once."""
        given = self._given(request)
        wanted = tuple(given)
        refused: anthropic.APIStatusError | None = None
        for chosen in self._choices(wanted):
            try:
                answer = await self._wire.post(self._body(request, {each: given[each] for each in chosen}))
            except anthropic.APIStatusError as error:
                if error.status_code != 400 or error.type != "invalid_request_error" or error.error_code:
                    raise self._failure(error) from error
                refused = refused or error
            else:
                self._learn(wanted, chosen)
                return self._completion(answer)
        assert refused is not None  # the loop runs at least once, and ends otherwise only by a refusal
        raise self._failure(refused) from refused

    def batch_api(self) -> BatchApi:
        """Return the batch API of the same account and model, over the same connections."""
        from evolver.models.batch.anthropic import AnthropicBatches  # live runs do without

        return AnthropicBatches(
            self._client,
            who=self.name,
            wire=self._wire,
            body=self._accepted_body,
            completion=self._completion,
            failure=self._failure,
            refused=lambda status, said, code: from_status(
                status, redact(quote(said), self._key), who=self.name, code=code
            ),
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._wire.aclose()

    def _accepted_body(self, request: Request) -> dict[str, object]:
        given = self._given(request)
        chosen = next(self._choices(tuple(given)))
        return self._body(request, {each: given[each] for each in chosen})

    def _given(self, request: Request) -> dict[str, float]:
        sampling = request.sampling
        if sampling.temperature is not None and sampling.temperature > _MAX_TEMPERATURE:
            raise RunModelError(
                f"{self.name} takes temperatures from 0 to 1, not {sampling.temperature:g}; nothing was sent. "
                "Run the command again with --temperature 1 or less."
            )
        both = (("temperature", sampling.temperature), ("top_p", sampling.top_p))
        return {parameter: value for parameter, value in both if value is not None}

    def _choices(self, wanted: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """What to send of ``wanted``: what the model has accepted, or all of it, then ever less."""
        accepted = self._accepted.get(wanted)
        if accepted is not None:
            yield accepted
            return
        yield wanted
        if len(wanted) == 2:
            yield wanted[:1]
            yield wanted[1:]
        if wanted:
            yield ()

    def _learn(self, wanted: tuple[str, ...], accepted: tuple[str, ...]) -> None:
        if wanted in self._accepted:
            return
        self._accepted[wanted] = accepted
        left_out = [each for each in wanted if each not in accepted]
        if left_out and self._on_notice is not None:
            what = " and ".join(left_out)
            beside = f" beside {' and '.join(accepted)}" if accepted else ""
            self._on_notice(f"{self.name} does not accept {what}{beside}; it is left out from now on.")

    def _body(self, request: Request, sampling: dict[str, float]) -> dict[str, object]:
        body: dict[str, object] = {
            "model": self._model,
            "max_tokens": request.sampling.max_tokens,
            "messages": [{"role": "user", "content": mended(request.prompt)}],
            **sampling,
        }
        if request.system is not None:
            body["system"] = mended(request.system)
        return body

    def _failure(self, error: anthropic.APIStatusError) -> ModelError:
        said = error.api_message if isinstance(error.api_message, str) else error.message
        return from_status(
            error.status_code,
            redact(said, self._key),
            who=self.name,
            code=error.error_code or (error.type if isinstance(error.type, str) else None),
            headers=error.response.headers,
        )

    def _completion(self, answer: dict[str, Any]) -> Completion:
        content = answer.get("content")
        if not isinstance(content, list):
            raise malformed("a body without content", who=self.name)
        text = mended("".join(_texts(content)))
        reason = answer.get("stop_reason")
        usage = answer.get("usage")
        spent = sum(count(usage, each) for each in _INPUT_COUNTS), count(usage, "output_tokens")
        if reason == "refusal":
            return Completion("", "refusal", *spent, refusal=text or _explanation(answer))
        return Completion(text, str(_FINISH.get(reason, reason)), *spent)


def _texts(content: list[Any]) -> Iterator[str]:
    """The text blocks; thinking and whatever else there is are no answer."""
    for block in content:
        if isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str):
            yield block["text"]


def _explanation(answer: dict[str, Any]) -> str:
    details = answer.get("stop_details")
    said = details.get("explanation") if isinstance(details, dict) else None
    return mended(said) if isinstance(said, str) and said else "refused without a word"
