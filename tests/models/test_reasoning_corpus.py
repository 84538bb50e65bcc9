"""Every form of a trace, through every shape of a provider's answer, for each purpose of a call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from aiohttp import web
from langchain_core.language_models.chat_models import SimpleChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from evolver.elimination.copied_prompt import copied_prompt
from evolver.elimination.judge import parse_judgement
from evolver.elimination.refusal import refusal
from evolver.elimination.verdict import Candidate
from evolver.models.anthropic import AnthropicModel
from evolver.models.langchain import LangChainModel
from evolver.models.openai import OpenAIModel
from evolver.models.protocol import Completion, Model, Purpose, Request, Sampling

Form = Callable[[str], str]
Serve = Callable[[Callable[[dict[str, Any]], Any]], AbstractAsyncContextManager[Any]]
THOUGHT = "The given prompt is short, sorry. Equal or not equal? I would say Not Equal."
SAID: dict[Purpose, str] = {
    "evolve": "Name three rivers of Europe and say through which capitals each of them flows.",
    "judge": "Equal",
    "answer": "The Danube flows through Vienna, Bratislava, Budapest and Belgrade.",
}

INLINE: dict[str, Form] = {
    "think": lambda said: f"<think>\n{THOUGHT}\n</think>\n\n{said}",
    "thinking": lambda said: f"<Thinking>{THOUGHT}</Thinking>\n{said}",
    "reasoning": lambda said: f"<reasoning>{THOUGHT}</reasoning>{said}",
    "square brackets": lambda said: f"[THINK]{THOUGHT}[/THINK]{said}",
    "triangles": lambda said: f"◁think▷{THOUGHT}◁/think▷{said}",
    "seed": lambda said: f"<seed:think>{THOUGHT}</seed:think>{said}",
    "orphan": lambda said: f"{THOUGHT}\n</think>\n\n{said}",
    "channels": lambda said: (
        f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>{said}"
    ),
    "bare channels": lambda said: f"analysisWe look. {THOUGHT}assistantfinal{said}",
    "framed": lambda said: f"<think>{THOUGHT}</think><answer>{said}</answer>",
}


def _chat(content: object, **more: object) -> dict[str, Any]:
    usage = {"prompt_tokens": 5, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 6}}
    choice = {"message": {"content": content, **more}, "finish_reason": "stop"}
    return {"choices": [choice], "usage": usage}


def _inline(wrap: Callable[[str], Any]) -> dict[str, Callable[[str], Any]]:
    def with_form(form: Form) -> Callable[[str], Any]:
        return lambda said: wrap(form(said))

    return {name: with_form(form) for name, form in INLINE.items()}


OPENAI: dict[str, Callable[[str], dict[str, Any]]] = {
    **_inline(_chat),
    "field reasoning": lambda said: _chat(said, reasoning=THOUGHT),
    "field reasoning_content": lambda said: _chat(said, reasoning_content=THOUGHT),
    "both fields": lambda said: _chat(said, reasoning=THOUGHT, reasoning_content=THOUGHT),
    "one of two fields empty": lambda said: _chat(said, reasoning=None, reasoning_content=THOUGHT),
    "details": lambda said: _chat(said, reasoning_details=[{"type": "reasoning.text", "text": THOUGHT}]),
    "summary": lambda said: _chat(
        said, reasoning_details=[{"type": "reasoning.summary", "summary": THOUGHT}]
    ),
    "a router's own fields": lambda said: _chat(
        said, provider_specific_fields={"reasoning_content": THOUGHT}
    ),
    "thinking blocks": lambda said: _chat(said, thinking_blocks=[{"type": "thinking", "thinking": THOUGHT}]),
    "parts": lambda said: _chat(
        [
            {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]},
            {"type": "text", "text": said},
        ]
    ),
    "parts of reasoning": lambda said: _chat(
        [{"type": "reasoning", "text": THOUGHT}, {"type": "text", "text": said}]
    ),
    "a part that is marked": lambda said: _chat([{"text": THOUGHT, "thought": True}, {"text": said}]),
}


def _message(*blocks: dict[str, Any]) -> dict[str, Any]:
    usage = {"input_tokens": 5, "output_tokens": 9}
    return {"type": "message", "content": list(blocks), "stop_reason": "end_turn", "usage": usage}


def _text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


ANTHROPIC: dict[str, Callable[[str], dict[str, Any]]] = {
    **_inline(lambda said: _message(_text(said))),
    "thinking": lambda said: _message(
        {"type": "thinking", "thinking": THOUGHT, "signature": "x"}, _text(said)
    ),
    "thinking twice": lambda said: _message(
        {"type": "thinking", "thinking": THOUGHT}, {"type": "thinking", "thinking": THOUGHT}, _text(said)
    ),
    "thinking in part redacted": lambda said: _message(
        {"type": "redacted_thinking", "data": "eHh4"}, {"type": "thinking", "thinking": THOUGHT}, _text(said)
    ),
}
LANGCHAIN: dict[str, Callable[[str], AIMessage]] = {
    **_inline(AIMessage),
    "additional_kwargs": lambda said: AIMessage(said, additional_kwargs={"reasoning_content": THOUGHT}),
    "additional_kwargs.reasoning": lambda said: AIMessage(
        said, additional_kwargs={"reasoning": {"summary": [{"type": "summary_text", "text": THOUGHT}]}}
    ),
    "thinking block": lambda said: AIMessage([{"type": "thinking", "thinking": THOUGHT}, _text(said)]),
    "reasoning block": lambda said: AIMessage([{"type": "reasoning", "reasoning": THOUGHT}, _text(said)]),
    "summary block": lambda said: AIMessage(
        [{"type": "reasoning", "summary": [{"type": "summary_text", "text": THOUGHT}]}, _text(said)]
    ),
    "reasoning_content block": lambda said: AIMessage(
        [{"type": "reasoning_content", "reasoning_content": {"text": THOUGHT}}, _text(said)]
    ),
}


class Answering(SimpleChatModel):
    """A chat model that answers with the form its prompt names."""

    @property
    def _llm_type(self) -> str:
        return "answering"

    def _call(self, *given: object, **more: object) -> str:
        raise NotImplementedError

    def _generate(self, messages: list[BaseMessage], *given: object, **more: object) -> ChatResult:
        asked = json.loads(str(messages[-1].content))
        made = LANGCHAIN[asked["form"]](SAID[asked["purpose"]])
        return ChatResult(generations=[ChatGeneration(message=made)])


def _reply(forms: dict[str, Callable[[str], dict[str, Any]]]) -> Callable[[dict[str, Any]], web.Response]:
    def reply(body: dict[str, Any]) -> web.Response:
        asked = json.loads(body["messages"][-1]["content"])
        return web.json_response(forms[asked["form"]](SAID[asked["purpose"]]))

    return reply


async def _ask(model: Model, forms: list[str]) -> Iterator[tuple[str, Purpose, Completion]]:
    found = []
    for form in forms:
        for purpose in SAID:
            prompt = json.dumps({"form": form, "purpose": purpose})
            found.append((form, purpose, await model.complete(Request(purpose, prompt, Sampling(), "1.1"))))
    return iter(found)


async def _all(provider: str, serve: Serve) -> Iterator[tuple[str, Purpose, Completion]]:
    if provider == "langchain":
        chat = LangChainModel(Answering())
        try:
            return await _ask(chat, list(LANGCHAIN))
        finally:
            await chat.aclose()
    forms = OPENAI if provider == "openai" else ANTHROPIC
    async with serve(_reply(forms)) as server:
        kind = OpenAIModel if provider == "openai" else AnthropicModel
        model = kind("m", base_url=server.url)
        try:
            return await _ask(model, list(forms))
        finally:
            await model.aclose()


def test_the_corpus_has_more_than_sixty_forms() -> None:
    assert (len(OPENAI) + len(ANTHROPIC) + len(LANGCHAIN)) * len(SAID) > 120


@pytest.mark.parametrize("provider", ["openai", "anthropic", "langchain"])
def test_no_thought_is_taken_for_text_and_no_verdict_is_wrong(provider: str, serve: Serve) -> None:
    for form, purpose, completion in asyncio.run(_all(provider, serve)):
        where = f"{provider}, {form}, {purpose}"
        assert completion.text == SAID[purpose], where
        assert completion.reasoning is not None, where
        assert THOUGHT in completion.reasoning, where
        assert completion.finish_reason == "stop", where
        if purpose == "judge":
            assert parse_judgement(completion.text) == "equal", where
        else:
            candidate = Candidate("Name a river.", completion.text, completion.text)
            assert copied_prompt(candidate) is None, where
            assert refusal(candidate) is None, where


def test_reasoning_tokens_are_counted_among_those_of_the_completion(serve: Serve) -> None:
    found = [each for _, _, each in asyncio.run(_all("openai", serve))]
    assert {(each.completion_tokens, each.reasoning_tokens) for each in found} == {(9, 6)}


@pytest.mark.parametrize(
    "message",
    [
        {"content": f"<think>{THOUGHT}"},
        {"content": f"<think>{THOUGHT}</think>"},
        {"content": "", "reasoning_content": THOUGHT},
        {"content": None, "reasoning": THOUGHT},
        {"content": f"<|channel|>analysis<|message|>{THOUGHT}"},
    ],
)
def test_an_answer_that_is_all_thought_counts_as_cut(message: dict[str, Any], serve: Serve) -> None:
    async def go() -> Completion:
        body = {"choices": [{"message": message, "finish_reason": "stop"}]}
        async with serve(lambda asked: web.json_response(body)) as server:
            model = OpenAIModel("m", base_url=server.url)
            try:
                return await model.complete(Request("answer", "x", Sampling(), "1.1"))
            finally:
                await model.aclose()

    completion = asyncio.run(go())
    assert (completion.text, completion.finish_reason, completion.reasoning) == ("", "length", THOUGHT)
