"""Anthropic's messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import anthropic

from evolver.answers.failures import malformed
from evolver.answers.messages import of_content
from evolver.answers.parameters import Value
from evolver.answers.refusals import Refusal, read_refusal
from evolver.models.protocol import Completion, Request
from evolver.models.sdk import Sdk
from evolver.models.sdk_model import SdkModel
from evolver.text import mended

if TYPE_CHECKING:
    from evolver.models.batch.protocol import BatchApi


class AnthropicModel(SdkModel):
    """A model behind Anthropic's messages API; see :class:`SdkModel` for key, address and what is told.

    There is no frequency penalty here; it is not sent. Newer models refuse temperature and top-p together, some
    refuse either: the parameters that a refusal names are left out from then on.
    """

    provider = "anthropic"
    hottest = 1.0
    sdk = Sdk(
        anthropic.AsyncAnthropic,
        anthropic.DefaultAioHttpClient,
        "/v1/messages",
        anthropic.APIStatusError,
        lambda body: body,
        anthropic.AnthropicError,
    )
    learns: ClassVar = {"without": ("frequency_penalty",), "guesses": True}

    def batch_api(self) -> BatchApi:
        """Return the batch API of the same account and model, over the same connections."""
        from evolver.models.batch.anthropic import AnthropicBatches  # live runs do without

        return AnthropicBatches(self)

    def _body(self, request: Request, sampling: Mapping[str, Value]) -> dict[str, object]:
        body: dict[str, object] = {
            "model": self._model,
            "messages": [{"role": "user", "content": mended(request.prompt)}],
            **sampling,
        }
        effort = body.pop("reasoning_effort", None)
        if effort is not None:
            body["output_config"] = {"effort": effort}
        if request.system is not None:
            body["system"] = mended(request.system)
        return body

    def _said(self, error: anthropic.APIStatusError) -> tuple[str, str | None]:
        said = error.api_message if isinstance(error.api_message, str) else error.message
        code = error.error_code or error.type
        return said, code if isinstance(code, str) else None

    def _refusal(self, error: anthropic.APIStatusError) -> Refusal:
        return read_refusal(error.body)

    def completion(self, answer: dict[str, Any]) -> Completion:
        """Read a body as a completion, or raise what it means."""
        content = answer.get("content")
        if not isinstance(content, list):
            raise malformed(
                "a body without content", who=self.name, said=json.dumps(answer, ensure_ascii=False)
            )
        reason = answer.get("stop_reason")
        said = of_content(content)
        refusal = (said.text or _explanation(answer)) if reason == "refusal" else None
        return self._reader.completion(
            said, reason, answer.get("usage"), refusal=refusal, by=answer.get("model")
        )


def _explanation(answer: dict[str, Any]) -> str:
    details = answer.get("stop_details")
    said = details.get("explanation") if isinstance(details, dict) else None
    return mended(said) if isinstance(said, str) and said else "refused without a word"
