"""OpenAI's chat completions, and every server that speaks them: vLLM, Ollama, llama.cpp, OpenRouter and more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import openai

from evolver.errors import ModelError
from evolver.models.failures import from_status, malformed, quote, redact
from evolver.models.keys import checked_base_url, read_key
from evolver.models.messages import of_message
from evolver.models.parameters import Parameters
from evolver.models.protocol import Completion, Request
from evolver.models.reading import Reader
from evolver.models.refusals import Refusal, read_refusal
from evolver.models.sdk import SdkErrors, Wire, limits, timeouts
from evolver.text import mended

if TYPE_CHECKING:
    from evolver.models.batch.protocol import BatchApi


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
        self._parameters = Parameters(self.name, on_notice, renames=True)
        self._reader = Reader(self.name, on_notice)
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
        answer = await self._parameters.adapted(
            request.sampling,
            lambda sent: self._wire.post(self._body(request, sent)),
            self._refused,
            openai.APIStatusError,
        )
        return self._completion(answer)

    def batch_api(self) -> BatchApi:
        """Return the batch API of the same account and model, over the same connections."""
        from evolver.models.batch.openai import OpenAIBatches  # live runs do without

        return OpenAIBatches(
            self._client,
            who=self.name,
            wire=self._wire,
            body=lambda request: self._body(request, self._parameters.of(request.sampling)),
            completion=self._completion,
            failure=self._failure,
            refused=lambda status, said, code: from_status(
                status, redact(quote(said), self._key), who=self.name, code=code
            ),
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._wire.aclose()

    def _body(self, request: Request, sampling: Mapping[str, float]) -> dict[str, object]:
        messages = [{"role": "user", "content": mended(request.prompt)}]
        if request.system is not None:
            messages.insert(0, {"role": "system", "content": mended(request.system)})
        return {"model": self._model, "messages": messages, **sampling}

    def _refused(self, error: Exception) -> tuple[ModelError, Refusal]:
        assert isinstance(error, openai.APIStatusError)
        return self._failure(error), read_refusal(error.body, code=error.code, param=error.param)

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
        refusal = message.get("refusal")
        return self._reader.completion(
            of_message(message),
            choice.get("finish_reason"),
            answer.get("usage"),
            refusal=refusal if isinstance(refusal, str) and refusal else None,
        )

    def _without_choice(self, answer: dict[str, Any]) -> ModelError:
        """Read a 200 without a choice: some gateways put the failure of the server behind them into it."""
        error = answer.get("error")
        status = error.get("code") if isinstance(error, dict) else None
        if isinstance(error, dict) and isinstance(status, int):
            return from_status(status, redact(quote(str(error.get("message", ""))), self._key), who=self.name)
        return malformed("a body without a choice", who=self.name)


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
