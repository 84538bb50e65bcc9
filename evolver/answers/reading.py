"""The one place where an answer becomes a completion: live, in batches and through LangChain alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from evolver.answers.exchange import Completion
from evolver.answers.finish import is_known, read_finish
from evolver.answers.messages import Said
from evolver.answers.reasoning import Split, split
from evolver.answers.usage import count, read_usage
from evolver.errors import RowModelError, TransientModelError
from evolver.quoting import quote, without_keys
from evolver.text import mended

_START = 40  # characters by which a trace is known to begin a text, with no tag before it
_NAMES = 64  # that answers give their model and are remembered; more are quoted anew each time


class Reader:
    """Reads the answers of one model.

    Reasoning is split off, the reason for the end read, and the tokens counted. ``on_notice`` is told once of each
    reason that is not known, which is then recorded as the provider gives it.

    A server whose template opens the trace sends its closing tag alone. Cut before that, a thought looks like any text:
    once the model was seen to answer so, what is cut without a closing tag is taken for thought.

    ``keys`` gives the keys that the model is asked with: a server that repeats one in its answer, or in what it calls
    the end or itself, gets it into no store and no data set.
    """

    def __init__(
        self,
        who: str,
        on_notice: Callable[[str], None] | None = None,
        keys: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._who = who
        self._on_notice = on_notice
        self._keys = keys
        self._unknown: set[str] = set()
        self._untagged = False
        self._names: dict[str, str] = {}

    def completion(
        self,
        said: Said,
        reason: object,
        usage: object,
        *,
        refusal: str | None = None,
        by: object = None,
    ) -> Completion:
        """Make the completion of an answer.

        An answer that is empty because all of it was thought is one that was cut, ``length``, whatever the
        provider calls it. ``by`` is what the answer calls its model.

        Raises:
            RowModelError: Withheld by a content filter, or nothing but a call of a tool.
            TransientModelError: The server broke its answer off.
        """
        finish, spent = read_finish(reason), read_usage(usage)
        tokens = spent.prompt, spent.completion
        if finish == "content_filter":
            why = f"{self._who} withheld its answer: its content filter cut it"
            raise RowModelError(why, "content_filter").after(*tokens)
        if finish == "broken_off":
            why = f"{self._who} broke off its answer ({quote(reason, *self._keys())})"
            raise TransientModelError(why, "server_error").after(*tokens)
        keys = self._keys()
        text, thought = (without_keys(mended(each), keys) for each in (said.text, said.reasoning))
        found = split(text)
        if found.reasoning is not None and text.lstrip().startswith(found.reasoning[:_START]):
            self._untagged = True
        elif self._untagged and finish == "length" and found.reasoning is None and not thought.strip():
            found = Split("", text.strip() or None, unclosed=True)
        reasoning = _joined(thought.strip(), found.reasoning)
        made = Completion(
            found.answer,
            finish,
            *tokens,
            reasoning=reasoning,
            reasoning_tokens=spent.reasoning,
            usage_known=spent.known,
            answered_by=self._named(by, keys) if isinstance(by, str) else None,
            reasoning_in="field" if thought.strip() else "text" if found.reasoning else None,
        )
        if refusal or finish == "refusal":
            told = refusal or found.answer or "refused without a word"
            return replace(made, text="", finish_reason="refusal", refusal=without_keys(mended(told), keys))
        if finish == "tool_calls" and not found.answer.strip():
            why = f"{self._who} called a tool instead of answering, though it was offered none"
            raise RowModelError(why, "tool_calls").after(*tokens)
        if not found.answer.strip() and (found.unclosed or reasoning is not None or spent.reasoning > 0):
            return replace(made, text="", finish_reason="length")
        if not is_known(finish):
            word = quote(finish, *keys)  # of the provider's own, so it may hold what was sent
            self._note(word)
            return replace(made, finish_reason=word)
        return made

    def _named(self, by: str, keys: Sequence[str]) -> str | None:
        """Quote what an answer calls its model, which nearly every answer does by the same name."""
        if (name := self._names.get(by)) is None:
            name = quote(by, *keys) if by.strip() else ""
            if len(self._names) < _NAMES:
                self._names[by] = name
        return name or None

    def _note(self, finish: str) -> None:
        if finish in self._unknown:
            return
        self._unknown.add(finish)
        if self._on_notice is not None:
            self._on_notice(
                f"{self._who} ended an answer for a reason that is not known, {finish!r}; it is taken as whole."
            )


def sound(completion: Completion) -> Completion:
    """Return a model's completion with counts that are counts, and texts where texts belong.

    What somebody's own model gives is held to what providers are: a count that is no number, negative or absurd
    (:func:`~evolver.answers.usage.count`) is not known, and a reason for the end is read like any other.
    """
    tokens = completion.prompt_tokens, completion.completion_tokens, completion.reasoning_tokens
    prompt, spent, thought = map(count, tokens)
    if (prompt, spent, thought) == tokens and set(map(type, tokens)) == {int}:
        finish, refusal, reasoning = completion.finish_reason, completion.refusal, completion.reasoning
        if isinstance(finish, str) and isinstance(refusal, str | None) and isinstance(reasoning, str | None):
            return completion
    return replace(
        completion,
        finish_reason=read_finish(completion.finish_reason),
        prompt_tokens=prompt or 0,
        completion_tokens=spent or 0,
        refusal=completion.refusal if isinstance(completion.refusal, str | None) else str(completion.refusal),
        reasoning=completion.reasoning if isinstance(completion.reasoning, str) else None,
        reasoning_tokens=thought or 0,
        usage_known=bool(completion.usage_known) and prompt is not None and spent is not None,
    )


def apart(completion: Completion) -> Completion:
    """Split off the reasoning that a model of somebody's own has left in the text of its completion."""
    answer, reasoning, unclosed = split(completion.text)
    if reasoning is None and not unclosed and answer == completion.text:
        return completion
    finish = completion.finish_reason if answer.strip() else "length"
    thought = _joined(completion.reasoning, reasoning)
    where = completion.reasoning_in or "text"
    return replace(completion, text=answer, finish_reason=finish, reasoning=thought, reasoning_in=where)


def _joined(*thoughts: str | None) -> str | None:
    """Join what was thought; a NUL, which no database takes, is worth less than the answer beside it."""
    return "\n\n".join(thought.replace("\0", "") for thought in thoughts if thought) or None
