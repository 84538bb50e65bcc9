"""OpenAI's chat completions, and every server that speaks them: vLLM, Ollama, llama.cpp, OpenRouter and more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import openai

from evolver.errors import ModelError, RowModelError, TransientModelError
from evolver.models.failures import from_status, malformed, quote, redact
from evolver.models.keys import checked_base_url, read_key
from evolver.models.protocol import Completion, Request, Sampling
from evolver.models.sdk import SdkErrors, Wire, count, limits, mended, timeouts

if TYPE_CHECKING:
    from evolver.models.batch.protocol import BatchApi

_FINISH = {None: "stop", "eos": "stop", "max_tokens": "length"}
_REFUSED = frozenset({"unsupported_parameter", "unsupported_value"})
_RENAMED = {"max_tokens": "max_completion_tokens"}
_OPTIONAL = frozenset({"temperature", "top_p", "frequency_penalty"})


class OpenAIModel:
    """A chat model behind OpenAI's protocol.

    The key is ``OPENAI_API_KEY`` alone; with ``base_url`` it may be missing. ``timeout`` limits a whole call, in
    seconds. ``on_notice`` is told, once for each, which parameters the model refuses and what is done
    instead; those calls are answered with an error before anything is generated, so nothing is paid twice.

    Raises:
        SettingsError: No key, or a base URL that is no address. Nothing was sent.
    """

    provider = "openai"

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        timeout: float = 600.0,
        on_notice: Callable[[str], None] | None = None,
    ) -> None:
        self.name = f"openai:{name}"
        self._model = name
        self._key = read_key("OPENAI_API_KEY", base_url=base_url)
        self._on_notice = on_notice
        self._renamed: dict[str, str] = {}
        self._dropped: set[str] = set()
        http = openai.DefaultAioHttpClient(limits=limits())
        self._client = openai.AsyncOpenAI(
            api_key=self._key,
            base_url=checked_base_url(base_url),
            timeout=timeouts(timeout),
            max_retries=0,
            http_client=http,
        )
        self._wire = Wire(
            self._client,
            http,
            "/chat/completions",
            who=self.name,
            timeout=timeout,
            errors=SdkErrors(openai.APIStatusError, lambda body: body.get("error", body), openai.OpenAIError),
        )
        self.base_url = self._wire.url

    async def complete(self, request: Request) -> Completion:
        """Answer ``request``; a parameter the model refuses is adapted and the call sent again at once."""
        while True:
            body = self._body(request)
            try:
                answer = await self._wire.post(body)
            except openai.APIStatusError as error:
                if not self._adapt(error, body):
                    raise self._failure(error) from error
            else:
                return self._completion(answer)

    def batch_api(self) -> BatchApi:
        """Return the batch API of the same account and model, over the same connections."""
        from evolver.models.batch.openai import OpenAIBatches  # live runs do without

        return OpenAIBatches(
            self._client,
            who=self.name,
            wire=self._wire,
            body=self._body,
            completion=self._completion,
            failure=self._failure,
            refused=lambda status, said, code: from_status(
                status, redact(quote(said), self._key), who=self.name, code=code
            ),
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._wire.aclose()

    def _body(self, request: Request) -> dict[str, object]:
        messages = [{"role": "user", "content": mended(request.prompt)}]
        if request.system is not None:
            messages.insert(0, {"role": "system", "content": mended(request.system)})
        body: dict[str, object] = {"model": self._model, "messages": messages}
        for parameter, value in _parameters(request.sampling):
            if value is not None and parameter not in self._dropped:
                body[self._renamed.get(parameter, parameter)] = value
        return body

    def _adapt(self, error: openai.APIStatusError, body: dict[str, object]) -> bool:
        """Learn from a refused parameter; true if the next body will differ from ``body``.

        Calls that were in flight when the first refusal came fail the same way: they find the lesson learnt
        and go again, and nobody is told twice.
        """
        parameter = error.param
        if (
            error.status_code != 400
            or error.code not in _REFUSED
            or parameter is None
            or parameter not in body
        ):
            return False
        if parameter in _RENAMED:
            told = parameter in self._renamed
            self._renamed[parameter] = _RENAMED[parameter]
            what = f"takes {_RENAMED[parameter]} instead of {parameter}, which is sent from now on"
        elif parameter in _OPTIONAL:
            told = parameter in self._dropped
            self._dropped.add(parameter)
            what = f"does not accept the {parameter} asked for, which is left out from now on"
        else:
            return False
        if not told and self._on_notice is not None:
            self._on_notice(f"{self.name} {what}.")
        return True

    def _failure(self, error: openai.APIStatusError) -> ModelError:
        return from_status(
            error.status_code,
            redact(_said(error), self._key),
            who=self.name,
            code=_code(error),
            headers=error.response.headers,
        )

    def _completion(self, answer: dict[str, Any]) -> Completion:
        choice = _first_choice(answer)
        if choice is None:
            raise self._without_choice(answer)
        message = choice["message"]
        finish = choice.get("finish_reason")
        finish = _FINISH.get(finish, finish)
        if finish == "content_filter":
            raise RowModelError(
                f"{self.name} withheld its answer: its content filter cut it", "content_filter"
            )
        if finish == "error":
            raise TransientModelError(f"{self.name} broke off its answer with an error", "server_error")
        usage = answer.get("usage")
        spent = count(usage, "prompt_tokens"), count(usage, "completion_tokens")
        refusal = message.get("refusal")
        if isinstance(refusal, str) and refusal:
            return Completion("", "refusal", *spent, refusal=mended(refusal))
        return Completion(mended(_text(message.get("content"))), str(finish), *spent)

    def _without_choice(self, answer: dict[str, Any]) -> ModelError:
        """Read a 200 without a choice: some gateways put the failure of the server behind them into it."""
        error = answer.get("error")
        status = error.get("code") if isinstance(error, dict) else None
        if isinstance(error, dict) and isinstance(status, int):
            return from_status(status, redact(quote(str(error.get("message", ""))), self._key), who=self.name)
        return malformed("a body without a choice", who=self.name)


def _parameters(sampling: Sampling) -> tuple[tuple[str, float | None], ...]:
    return (
        ("temperature", sampling.temperature),
        ("top_p", sampling.top_p),
        ("frequency_penalty", sampling.frequency_penalty),
        ("max_tokens", sampling.max_tokens),
    )


def _said(error: openai.APIStatusError) -> str:
    """The provider's own words, without what the SDK puts before them."""
    said = error.body.get("message") if isinstance(error.body, dict) else error.body
    return said if isinstance(said, str) and said else error.message


def _code(error: openai.APIStatusError) -> str | None:
    """The error's code; Azure hides the one of its content filter one level deeper."""
    body = error.body
    inner = body.get("innererror") if isinstance(body, dict) else None
    hidden = inner.get("code") if isinstance(inner, dict) else None
    return error.code or (hidden if isinstance(hidden, str) else None)


def _first_choice(answer: dict[str, Any]) -> dict[str, Any] | None:
    choices = answer.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    return choice if isinstance(choice, dict) and isinstance(choice.get("message"), dict) else None


def _text(content: object) -> str:
    """The text of a message: a string, nothing, or a list of parts of which those with text count."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(
            part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    return ""
