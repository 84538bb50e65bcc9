"""Every other provider, through LangChain: by name, or as a chat model object of the user's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from langchain.chat_models import init_chat_model
from langchain_core.language_models.chat_models import BaseChatModel, SimpleChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable
from pydantic import ValidationError

from evolver.answers.messages import Said, beside, of_content
from evolver.answers.parameters import Parameters, Value
from evolver.answers.reading import Reader
from evolver.answers.refusals import Refusal
from evolver.errors import ModelError, RunModelError, SettingsError
from evolver.held_keys import Keys
from evolver.models.keys import checked_base_url
from evolver.models.langchain_failures import from_langchain, refusal_in
from evolver.models.protocol import Completion, Request
from evolver.models.registry import missing_package
from evolver.models.sdk import limits
from evolver.quoting import public_url, quote
from evolver.text import mended
from evolver.traits import settings_of

THREADS = 64
"""Calls at a time of a chat model that has no async of its own."""

_FIELDS = {
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "frequency_penalty": ("frequency_penalty",),
    "max_tokens": ("max_tokens", "max_output_tokens", "num_predict", "max_new_tokens"),
    "reasoning_effort": ("reasoning_effort", "effort", "thinking_level"),
}
_BODIES = ("extra_body", "model_kwargs")
_URL_FIELDS = frozenset({"base_url", "openai_api_base", "endpoint_url"})
_NOT_ASYNC = (BaseChatModel._agenerate, SimpleChatModel._agenerate)
_FINISH_KEYS = ("finish_reason", "stop_reason", "stopReason", "finishReason", "done_reason")


class LangChainModel:
    """A LangChain chat model as a model of evolver's.

    ``model`` is ``provider:NAME`` for ``init_chat_model`` (with ``key``, or keys from the provider's own environment
    variables) or an object. One object is kept; the sampling of a request is set on cheap copies that share its
    connections. What the user has set on an object stays as set; parameters a class has no field for
    are left to the provider. An object without async of its own runs in threads, at most 64 at a time.

    Raises:
        SettingsError: Unknown provider, missing package or missing key. Nothing was sent.
    """

    reads_answers: ClassVar = True

    def __init__(
        self,
        model: str | Runnable[Any, Any],
        *,
        base_url: str | None = None,
        timeout: float = 600.0,
        on_notice: Callable[[str], None] | None = None,
        key: str | None = None,
    ) -> None:
        self._by_name = isinstance(model, str)
        self._chat = (
            _build(model, checked_base_url(base_url), timeout, key) if isinstance(model, str) else model
        )
        self._http = getattr(self._chat, "http_async_client", None) if self._by_name else None
        self.name = model if isinstance(model, str) else _name(self._chat)
        self.provider = self.name.partition(":")[0]
        self.base_url = None if base_url is None else public_url(base_url)
        self.settings = "" if self._by_name else settings_of(self._chat)
        self._timeout = timeout
        self._parameters = Parameters(self.name, on_notice)
        self._keys = Keys(self._chat)
        self._reader = Reader(self.name, on_notice, self._keys.read)
        self._tuned: dict[tuple[object, ...], Runnable[Any, Any]] = {}
        self._threads: ThreadPoolExecutor | None = None
        if getattr(type(self._chat), "_agenerate", None) in _NOT_ASYNC:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="langchain")

    async def complete(self, request: Request) -> Completion:
        """Answer ``request``; an optional parameter the model refuses is left out and the call made again."""
        messages: list[BaseMessage] = [HumanMessage(mended(request.prompt))]
        if request.system is not None:
            messages.insert(0, SystemMessage(mended(request.system)))
        message = await self._parameters.adapted(
            request.sampling,
            lambda sent: self._send(sent, request.sampling.extra_body, messages),
            self._refused,
            Exception,
        )
        return self._completion(message)

    async def aclose(self) -> None:
        """Let go of the threads and of the connections made here; a user's object keeps its own."""
        if self._http is not None:
            await self._http.aclose()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _send(
        self, sent: Mapping[str, Value], extra: Mapping[str, Any] | None, messages: list[BaseMessage]
    ) -> object:
        chat = self._with(sent, extra)
        async with asyncio.timeout(self._timeout):
            if self._threads is None:
                return await chat.ainvoke(messages)
            return await asyncio.get_running_loop().run_in_executor(self._threads, chat.invoke, messages)

    def _refused(self, error: Exception) -> tuple[ModelError, Refusal]:
        return from_langchain(error, who=self.name, secrets=self._keys.read()), refusal_in(error)

    def _with(self, sent: Mapping[str, Value], extra: Mapping[str, Any] | None) -> Runnable[Any, Any]:
        key = (*sent.items(), json.dumps(extra, sort_keys=True) if extra else None)
        chat = self._tuned.get(key)
        if chat is None:
            chat = self._tuned[key] = self._tune(sent, extra)
        return chat

    def _tune(self, sent: Mapping[str, Value], extra: Mapping[str, Any] | None) -> Runnable[Any, Any]:
        chat = self._chat
        if not isinstance(chat, BaseChatModel):
            if extra:
                raise self._takes_no_body()
            return chat
        update: dict[str, object] = {}
        if extra:
            field = next((name for name in _BODIES if name in type(chat).model_fields), None)
            if field is None:
                raise self._takes_no_body()
            update[field] = {**(getattr(chat, field) or {}), **extra}
        for parameter, names in _FIELDS.items():
            field = next((name for name in names if name in type(chat).model_fields), None)
            if field is None:
                continue
            free = field not in chat.model_fields_set or (self._by_name and parameter == "max_tokens")
            if parameter in self._parameters.left_out:
                update[field] = None
            elif free and parameter in sent:
                update[field] = sent[parameter]
        return chat.model_copy(update=update)

    def _takes_no_body(self) -> RunModelError:
        return RunModelError(
            f"{self.name} takes nothing besides what LangChain knows of it; nothing was sent. Leave out --extra-body, "
            "or set it on the object."
        )

    def _completion(self, message: object) -> Completion:
        if not isinstance(message, BaseMessage):
            return self._reader.completion(Said(str(message)), None, None)
        usage = message.usage_metadata if isinstance(message, AIMessage) else None
        refusal = message.additional_kwargs.get("refusal")
        metadata = message.response_metadata
        said = of_content(message.content)
        return self._reader.completion(
            # Reasoning may stand beside text and blocks, where some classes put what they have no name for.
            Said(said.text, said.reasoning or beside(message.additional_kwargs)),
            next((metadata[key] for key in _FINISH_KEYS if metadata.get(key)), None),
            usage,
            refusal=refusal if isinstance(refusal, str) and refusal else None,
        )


def _build(spec: str, base_url: str | None, timeout: float, key: str | None) -> BaseChatModel:
    """Make the chat model; a second time with the settings that its class turned out to have."""
    given: dict[str, Any] = {} if key is None else {"api_key": key}
    try:
        kind = type(init_chat_model(spec, **given))
        fields = kind.model_fields
        names = set(fields) | {str(field.alias) for field in fields.values() if field.alias}
        settings: dict[str, Any] = {"max_retries": 0, "timeout": timeout}
        settings = {name: value for name, value in settings.items() if name in names}
        settings |= given if base_url is None else {"base_url": base_url, **given}
        if given.keys() <= names and (base_url is None or names & _URL_FIELDS):
            settings |= _own_connections(kind)
            chat: BaseChatModel = init_chat_model(spec, **settings)
            return chat
    except ImportError as error:
        raise missing_package(spec, _package(spec, error)) from error
    except Exception as error:
        raise SettingsError(
            f"the model {spec!r} cannot be set up: {_reason(error)}\n"
            "Nothing was sent. Keys are read from the provider's own environment variables; "
            "`evolve --help` says how --model names a model."
        ) from error
    if not given.keys() <= names:
        raise SettingsError(
            f"{spec} cannot be given a key; nothing was sent. Leave out the key variable, and set the provider's own."
        )
    raise SettingsError(
        f"{spec} cannot be given a base URL; nothing was sent. Leave out --base-url, or name an "
        "OpenAI-compatible server as openai:NAME."
    )


def _own_connections(kind: type[BaseChatModel]) -> dict[str, Any]:
    """Give a class that stands on the OpenAI SDK a client of this model's own.

    LangChain's default is one for the whole process, whose connections outlive the event loop they belong to and
    fail in the next one; it also costs twice the CPU of this.
    """
    if not any(base.__module__.startswith("langchain_openai.") for base in kind.__mro__):
        return {}
    from openai import DefaultAioHttpClient  # here it is imported already; the other providers do without

    return {"http_async_client": DefaultAioHttpClient(limits=limits())}


def _package(spec: str, error: ImportError) -> str:
    """Name the package that was not found, as it is installed; by LangChain's custom, where the error names none."""
    chain = (each for each in (error.__cause__, error) if isinstance(each, ImportError))
    name = next((each.name for each in chain if each.name), "langchain_" + spec.partition(":")[0])
    return name.partition(".")[0].replace("_", "-")


def _reason(error: Exception) -> str:
    """The error in one line; of a pydantic error the messages alone, for its text repeats the values it was given."""
    if isinstance(error, ValidationError):
        return quote("; ".join(each["msg"] for each in error.errors(include_input=False, include_url=False)))
    return quote(str(error))


def _name(chat: Runnable[Any, Any]) -> str:
    kind = type(chat).__name__
    model = next(
        (value for field in ("model_name", "model", "model_id") if (value := getattr(chat, field, None))),
        None,
    )
    return f"{kind}:{model}" if isinstance(model, str) else kind
