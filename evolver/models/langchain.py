"""Every other provider, through LangChain: by name, or as a chat model object of the user's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from langchain.chat_models import init_chat_model
from langchain_core.language_models.chat_models import BaseChatModel, SimpleChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable
from pydantic import SecretStr, ValidationError

from evolver.errors import ModelError, RowModelError, SettingsError
from evolver.models.failures import quote, redact
from evolver.models.keys import checked_base_url, public_url
from evolver.models.langchain_failures import from_langchain, refused_parameter
from evolver.models.protocol import Completion, Request, Sampling
from evolver.models.sdk import count, limits, mended

THREADS = 64
"""Calls at a time of a chat model that has no async of its own."""

_FIELDS = {
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "frequency_penalty": ("frequency_penalty",),
    "max_tokens": ("max_tokens", "max_output_tokens", "num_predict", "max_new_tokens"),
}
_URL_FIELDS = frozenset({"base_url", "openai_api_base", "endpoint_url"})
_NOT_ASYNC = (BaseChatModel._agenerate, SimpleChatModel._agenerate)
_FINISH_KEYS = ("finish_reason", "stop_reason", "stopReason", "finishReason", "done_reason")
_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "eos": "stop",
    "complete": "stop",
    "max_tokens": "length",
    "model_length": "length",
    "safety": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
}


class LangChainModel:
    """A LangChain chat model as a model of evolver's.

    ``model`` is ``provider:NAME`` for ``init_chat_model`` (keys from the provider's own environment variables) or an
    object. One object is kept; the sampling of a request is set on cheap copies that share its
    connections. What the user has set on an object stays as set; parameters a class has no field for
    are left to the provider. An object without async of its own runs in threads, at most 64 at a time.

    Raises:
        SettingsError: Unknown provider, missing package or missing key. Nothing was sent.
    """

    def __init__(
        self,
        model: str | Runnable[Any, Any],
        *,
        base_url: str | None = None,
        timeout: float = 600.0,
        on_notice: Callable[[str], None] | None = None,
    ) -> None:
        self._by_name = isinstance(model, str)
        self._chat = _build(model, checked_base_url(base_url), timeout) if isinstance(model, str) else model
        self._http = getattr(self._chat, "http_async_client", None) if self._by_name else None
        self.name = model if isinstance(model, str) else _name(self._chat)
        self.provider = self.name.partition(":")[0]
        self.base_url = None if base_url is None else public_url(base_url)
        self.settings = "" if self._by_name else _settings(self._chat)
        self._timeout = timeout
        self._on_notice = on_notice
        self._secrets = _secrets(self._chat)
        self._dropped: set[str] = set()
        self._tuned: dict[Sampling, Runnable[Any, Any]] = {}
        self._threads: ThreadPoolExecutor | None = None
        if getattr(type(self._chat), "_agenerate", None) in _NOT_ASYNC:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="langchain")

    async def complete(self, request: Request) -> Completion:
        """Answer ``request``; an optional parameter the model refuses is left out and the call made again."""
        messages: list[BaseMessage] = [HumanMessage(mended(request.prompt))]
        if request.system is not None:
            messages.insert(0, SystemMessage(mended(request.system)))
        while True:
            sent = self._with(request.sampling)
            try:
                async with asyncio.timeout(self._timeout):
                    message = await self._invoke(sent, messages)
            except ModelError:
                raise
            except Exception as error:
                if self._drop(refused_parameter(error), sent):
                    continue
                raise from_langchain(error, who=self.name, hide=self._hide) from error
            return self._completion(message)

    async def aclose(self) -> None:
        """Let go of the threads and of the connections made here; a user's object keeps its own."""
        if self._http is not None:
            await self._http.aclose()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _invoke(self, chat: Runnable[Any, Any], messages: list[BaseMessage]) -> object:
        if self._threads is None:
            return await chat.ainvoke(messages)
        return await asyncio.get_running_loop().run_in_executor(self._threads, chat.invoke, messages)

    def _with(self, sampling: Sampling) -> Runnable[Any, Any]:
        chat = self._tuned.get(sampling)
        if chat is None:
            chat = self._tuned[sampling] = self._tune(sampling)
        return chat

    def _tune(self, sampling: Sampling) -> Runnable[Any, Any]:
        chat = self._chat
        if not isinstance(chat, BaseChatModel):
            return chat
        update: dict[str, object] = {}
        for parameter, names in _FIELDS.items():
            field = next((name for name in names if name in type(chat).model_fields), None)
            free = field not in chat.model_fields_set or (self._by_name and parameter == "max_tokens")
            value = None if parameter in self._dropped else getattr(sampling, parameter)
            if field is not None and parameter in self._dropped:
                update[field] = None
            elif field is not None and free and value is not None:
                update[field] = value
        return chat.model_copy(update=update)

    def _drop(self, parameter: str | None, sent: Runnable[Any, Any]) -> bool:
        """Learn which optional parameter the model refuses; true if the call is worth making again."""
        if parameter not in _FIELDS or parameter == "max_tokens" or getattr(sent, parameter, None) is None:
            return False
        if parameter not in self._dropped:
            self._dropped.add(parameter)
            self._tuned.clear()
            if self._on_notice is not None:
                self._on_notice(
                    f"{self.name} does not accept the {parameter} asked for, which is left out from now on."
                )
        return True

    def _hide(self, said: str) -> str:
        for secret in self._secrets:
            said = redact(said, secret)
        return said

    def _completion(self, message: object) -> Completion:
        if not isinstance(message, BaseMessage):
            return Completion(mended(str(message)))
        finish = _finish(message.response_metadata)
        if finish == "content_filter":
            raise RowModelError(
                f"{self.name} withheld its answer: its content filter cut it", "content_filter"
            )
        usage = message.usage_metadata if isinstance(message, AIMessage) else None
        spent = count(usage, "input_tokens"), count(usage, "output_tokens")
        text = mended(str(message.text))
        refusal = message.additional_kwargs.get("refusal")
        if finish == "refusal" or (isinstance(refusal, str) and refusal):
            said = refusal if isinstance(refusal, str) and refusal else text or "refused without a word"
            return Completion("", "refusal", *spent, refusal=mended(said))
        return Completion(text, finish, *spent)


def _finish(metadata: dict[str, Any]) -> str:
    reason = next((metadata[key] for key in _FINISH_KEYS if metadata.get(key)), None)
    if reason is None:
        return "stop"
    word = str(reason)
    return _FINISH.get(word.lower(), word.lower())


def _build(spec: str, base_url: str | None, timeout: float) -> BaseChatModel:
    """Make the chat model; a second time with the settings that its class turned out to have."""
    try:
        kind = type(init_chat_model(spec))
        fields = kind.model_fields
        names = set(fields) | {str(field.alias) for field in fields.values() if field.alias}
        settings: dict[str, Any] = {"max_retries": 0, "timeout": timeout}
        settings = {name: value for name, value in settings.items() if name in names}
        settings |= {} if base_url is None else {"base_url": base_url}
        if base_url is None or names & _URL_FIELDS:
            settings |= _own_connections(kind)
            chat: BaseChatModel = init_chat_model(spec, **settings)
            return chat
    except ImportError as error:
        raise SettingsError(_missing_package(spec, error)) from error
    except Exception as error:
        raise SettingsError(
            f"the model {spec!r} cannot be set up: {_reason(error)}\n"
            "Nothing was sent. Keys are read from the provider's own environment variables; "
            "`evolve --help` says how --model names a model."
        ) from error
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


def _missing_package(spec: str, error: ImportError) -> str:
    missing = next(
        (each.name for each in (error.__cause__, error) if isinstance(each, ImportError) and each.name), None
    )
    package = (missing or "langchain_" + spec.partition(":")[0]).partition(".")[0].replace("_", "-")
    return (
        f"the model {spec!r} needs the package {package}, which is not installed; nothing was sent. "
        f"Run `pip install {package}` and the same command again."
    )


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


def _settings(chat: Runnable[Any, Any]) -> str:
    """Numbers and switches the user has set on an object. No text: a key must never get into a store."""
    if not isinstance(chat, BaseChatModel):
        return ""
    given = {field: getattr(chat, field, None) for field in sorted(chat.model_fields_set)}
    return ",".join(
        f"{field}={value!r}" for field, value in given.items() if isinstance(value, (bool, int, float))
    )


def _secrets(chat: Runnable[Any, Any]) -> tuple[str, ...]:
    held = vars(chat).values() if hasattr(chat, "__dict__") else ()
    return tuple(each.get_secret_value() for each in held if isinstance(each, SecretStr))
