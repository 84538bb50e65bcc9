"""What the hunt for secrets runs in a process of its own: commands, or models that hold keys, as JSON on stdin says."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from langchain_core.language_models.chat_models import SimpleChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableLambda
from pydantic import SecretStr

from evolver import Evolution
from evolver.cli.main import run
from evolver.errors import EvolverError, RowModelError
from evolver.models.protocol import Completion, Request
from evolver.quoting import quote
from scripts.secret_forms import FORMS


class RefusedError(Exception):
    """What a provider's package raises for a request that it cannot take."""

    status_code = 400


class Chat(SimpleChatModel):
    """A chat model that fails with what it is told, or answers with it."""

    says: str
    answers: bool = False
    api_key: Any = None
    default_headers: Any = None

    @property
    def _llm_type(self) -> str:
        return "chat"

    def _call(self, messages: list[BaseMessage], *given: object, **more: object) -> str:
        if self.answers:
            return f"Name five uses of a brick, and why each. {self.says}"
        raise RefusedError(self.says)


class Own:
    """A model of one's own, whose error repeats a variable."""

    name = "own/1"

    def __init__(self, says: str) -> None:
        self.says = says

    async def complete(self, request: Request) -> Completion:
        """Fail."""
        raise RowModelError(quote(self.says), "bad_request")


HOLDERS: dict[str, Callable[[str, str], Any]] = {
    "api_key": lambda key, says: Chat(says=says, api_key=SecretStr(key)),
    "text": lambda key, says: Chat(says=says, api_key=key),
    "header": lambda key, says: Chat(says=says, default_headers={"Authorization": f"Bearer {key}"}),
    "bind": lambda key, says: Chat(says=says).bind(api_key=key),
    "with_retry": lambda key, says: Chat(says=says, api_key=key).with_retry(stop_after_attempt=1),
    "fallback": lambda key, says: Chat(says=says).with_fallbacks([Chat(says=says, api_key=SecretStr(key))]),
    "callable": lambda key, says: Chat(says=says, api_key=lambda: key),
    "chain": lambda key, says: RunnableLambda(lambda x: x) | Chat(says=says, api_key=SecretStr(key)),
    "answer": lambda key, says: Chat(says=says, answers=True, api_key=SecretStr(key)),
}


def commands(each: list[tuple[dict[str, str], list[str]]]) -> None:
    """Run commands with some variables to their end, whatever that is."""
    for variables, words in each:
        os.environ.update(variables)
        sys.argv = ["evolve", *words]
        with suppress(SystemExit):
            run()
        for name in variables:
            del os.environ[name]


def objects(each: list[dict[str, str]]) -> None:
    """Run with each kind of object, and print what is raised as a notebook would."""
    for number, given in enumerate(each):
        form = FORMS[given.pop("form")]
        for door, key in given.items():
            os.environ["ACME_TOKEN"] = key if door == "own" else ""
            says = f"bad key {form(key)} given"
            _run(f"{door}-{number}", Own(says) if door == "own" else HOLDERS[door](key, says))


def _run(name: str, model: Any) -> None:
    try:
        evolution = Evolution(
            "pool.txt",
            limit=2,
            epochs=1,
            model=model,
            run=name,
            store="o.db",
            output=f"{name}.jsonl",
            answer_seeds="all",
        )
        result = evolution.run()
        print(repr(result), list(result.rows()))
    except EvolverError as error:
        print(repr(error), error, file=sys.stderr)


if __name__ == "__main__":
    told = json.load(sys.stdin)
    commands(told) if sys.argv[1] == "commands" else objects(told)
