"""OpenAI's chat completions, and every server that speaks them: vLLM, Ollama, llama.cpp, OpenRouter and more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import openai

from evolver.answers.failures import malformed
from evolver.answers.mends import address_mend
from evolver.answers.messages import of_message
from evolver.answers.parameters import Value
from evolver.answers.refusals import Refusal, read_refusal
from evolver.answers.usage import count
from evolver.errors import ModelError
from evolver.models.protocol import Completion, Request
from evolver.models.sdk import Sdk
from evolver.models.sdk_model import SdkModel
from evolver.text import mended

if TYPE_CHECKING:
    from evolver.models.batch.protocol import BatchApi


class OpenAIModel(SdkModel):
    """A chat model behind OpenAI's protocol; see :class:`SdkModel` for key, address and what is told."""

    provider = "openai"
    sdk = Sdk(
        openai.AsyncOpenAI,
        openai.DefaultAioHttpClient,
        "/chat/completions",
        openai.APIStatusError,
        lambda body: body.get("error", body),
        openai.OpenAIError,
    )
    learns: ClassVar = {"renames": True}

    def batch_api(self) -> BatchApi:
        """Return the batch API of the same account and model, over the same connections."""
        from evolver.models.batch.openai import OpenAIBatches  # live runs do without

        return OpenAIBatches(self)

    def _body(self, request: Request, sampling: Mapping[str, Value]) -> dict[str, object]:
        messages = [{"role": "user", "content": mended(request.prompt)}]
        if request.system is not None:
            messages.insert(0, {"role": "system", "content": mended(request.system)})
        return {"model": self._model, "messages": messages, **sampling}

    def _said(self, error: openai.APIStatusError) -> tuple[str, str | None]:
        """The words without what the SDK puts before them; Azure hides its content filter's code one level deeper."""
        body = error.body
        said = body.get("message") if isinstance(body, dict) else body
        inner = body.get("innererror") if isinstance(body, dict) else None
        code = error.code or (inner.get("code") if isinstance(inner, dict) else None)
        words = said if isinstance(said, str) and said else error.message
        return words, code if isinstance(code, str) else None

    def _refusal(self, error: openai.APIStatusError) -> Refusal:
        return read_refusal(error.body, code=error.code, param=error.param)

    def completion(self, answer: dict[str, Any]) -> Completion:
        """Read a body as a completion, or raise what it means."""
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
            by=answer.get("model"),
        )

    def _without_choice(self, answer: dict[str, Any]) -> ModelError:
        """Read a 200 without a choice: some gateways put the failure of the server behind them into it."""
        error = answer.get("error")
        told = error if isinstance(error, dict) else answer
        status = count(told.get("code", told.get("status_code")))
        said = told.get("message", told.get("detail", error))
        if error and status is not None and 300 <= status < 600:
            return self._refused(status, said if isinstance(said, str) else json.dumps(error))
        if error or isinstance(said, str):
            words = said if isinstance(said, str) else json.dumps(error or said)
            wrong = address_mend(self._asked)
            hint = f" (asked was POST {self._asked.url}. {wrong})" if wrong else ""
            return malformed(f"an error in place of a completion{hint}", who=self.name, said=words)
        return malformed(
            "a body without a choice", who=self.name, said=json.dumps(answer, ensure_ascii=False)
        )


def _first_choice(answer: dict[str, Any]) -> dict[str, Any] | None:
    choices = answer.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    return choice if isinstance(choice, dict) and isinstance(choice.get("message"), dict) else None
