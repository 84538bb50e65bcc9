"""Splitting off what a model thought before it answered, where the server left it in the text.

Only a trace at the start of a text is one. It comes between tags (``<think>``, ``[THINK]``, ``◁think▷`` and their
like), with a closing tag alone where the server's template opened it, in channels, or cut before its end. Everything
else is text, whatever it says about such tags.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from evolver.answers.channels import split_channels
from evolver.markup import closes_a_trace, mentioned_after, quoted

_NAMES: Final = (
    "think(?:ing)?(?:_process)?|thoughts?(?:_process)?|reasoning(?:_process|_content)?|scratchpad|inner_monologue|"
    "internal_thoughts?|chain_of_thought|cot|antthinking"
)
_BAR: Final = "[|｜]"
# Opening and closing tag of each family; a family's first group is its name, which both tags share where there is one.
_FAMILIES: Final = tuple(
    (re.compile(opening, re.IGNORECASE), closing)
    for opening, closing in (
        (rf"<((?:[\w-]+:)?(?:{_NAMES}))(?:\s[^<>\n]{{0,200}})?>", "</{name}\\s*>"),
        (r"\[(think|thinking|reasoning|thought)\]", r"\[/{name}\]"),
        (r"◁(think|thinking)▷", "◁/{name}▷"),
        (
            rf"<{_BAR}(?:begin_of_|start_?)?(thoughts?|think|thinking|reasoning){_BAR}>",
            rf"</?{_BAR}?(?:end_of_|end_?|/)?{{name}}{_BAR}>",
        ),
        (r"<\|channel>\s?thought(?:\n|\Z|(?=[^\w\s]))()", r"<channel\|>"),
        (r"<unused94>(?:thought\n)?()", "<unused95>"),
        (r"<\|inner_prefix\|>()", r"<\|inner_suffix\|>"),
        (r"<start_working_out>()", "<end_working_out>"),
        (r"<details\s[^<>\n]{0,100}type=[\"']reasoning[\"'][^<>\n]{0,100}>()", "</details>"),
        (r"Thinking\.\.\.\n()", r"\.\.\.done thinking\."),
        (r"Here(?:'s|’s| is) my thought process:\s()", r"Here(?:'s|’s| is) my response:"),
    )
)
_ORPHAN: Final = re.compile(
    rf"</(?:[\w-]+:)?(?:{_NAMES})\s*>|\[/(?:think|thinking|reasoning|thought)\]|◁/think(?:ing)?▷"
    rf"|<{_BAR}(?:end_of_|end_?|/)(?:thoughts?|think|thinking|reasoning){_BAR}>|<channel\|>|<unused95>|<\|inner_suffix\|>",
    re.IGNORECASE,
)
_OPENED: Final = re.compile(
    rf"<(?:[\w-]+:)?(?:{_NAMES})(?:\s[^<>\n]{{0,200}})?>|\[(?:think|thinking|reasoning|thought)\]|◁think(?:ing)?▷"
    rf"|<{_BAR}(?:begin_of_|start_?)?(?:thoughts?|think|thinking|reasoning){_BAR}>",
    re.IGNORECASE,
)
_EMPTY: Final = re.compile(rf"<(?:[\w-]+:)?(?:{_NAMES})\s*/>", re.IGNORECASE)
_ORPHAN_BEGINS: Final = ("</", "[/", "◁/", "<|", "<｜", "<channel|>", "<unused95>")
_OPENING_BEGINS: Final = frozenset("<[◁HhTt")
# What a template, or a model that repeats it, puts before the trace.
_LEAD: Final = re.compile(
    r"(?:\s|\ufeff|<s>|<bos>|<\|begin_of_text\|>|<\|im_start\|>\s*assistant\b|<\|start_header_id\|>\s*assistant\s*"
    r"<\|end_header_id\|>|<start_of_turn>\s*model\b|<\|?assistant\|?>|<｜Assistant｜>|<｜begin▁of▁sentence｜>)*"
)
_PLACEHOLDER: Final = re.compile(r"[\s.…]*(?:\{[^{}\n]*\}|\[[^\[\]\n]*\]|[.…]+)?[\s.…]*")
_WRAPPED: Final = re.compile(
    r"\s*(?:<(?P<name>answer|response|output|final_answer|final|solution)>(?P<inside>.*)</(?P=name)>"
    r"|<\|begin_of_solution\|>(?P<solution>.*?)(?:<\|end_of_solution\|>|\Z)"
    r"|<\|start_response\|>(?P<reply>.*?)(?:<\|end_response\|>|\Z))\s*",
    re.IGNORECASE | re.DOTALL,
)
_ANSWER: Final = re.compile(
    r"^[ \t]*(?=<(?:answer|response|output|final_answer|solution)>|<\|begin_of_solution\|>|<\|start_response\|>)",
    re.IGNORECASE | re.MULTILINE,
)


_MOST_TRACES: Final = 100  # one after the other; bounds the work on a model that repeats its tags for ever


class Split(NamedTuple):
    """A completion in two: the answer, and the reasoning before it, ``None`` where there is none.

    ``unclosed`` says that the trace has no end: the model was cut while it thought, and there is no answer.
    """

    answer: str
    reasoning: str | None
    unclosed: bool


def split(text: str) -> Split:
    """Split a trace off the start of ``text``; a text without one comes back as it is.

    Splitting an answer again changes nothing. Nothing is lost but tags, the frame of an answer that came with
    a trace (``<answer>…</answer>``), and white space around both.
    """
    answer, thoughts, unclosed = text, [], False
    for _ in range(_MOST_TRACES):
        found = None if unclosed else _first(answer)
        if found is None:
            break
        answer, thought, unclosed = found
        if thought:
            thoughts.append(thought)
    return Split(answer, "\n\n".join(thoughts) or None, unclosed)


def _first(text: str) -> tuple[str, str, bool] | None:
    """Split off the first trace, if there is one."""
    if not text or text.isspace():
        return None
    lead = _LEAD.match(text)
    start = lead.end() if lead else 0
    found = split_channels(text, start)
    if found is None:
        found = _opened(text, start)
    if found is None:
        found = _orphan(text, start)
    if found is None:
        return None
    answer, thought, unclosed = found
    return _unwrapped(answer), thought.strip(), unclosed


def _opened(text: str, start: int) -> tuple[str, str, bool] | None:
    if text[start : start + 1] not in _OPENING_BEGINS:
        return None
    empty = _EMPTY.match(text, start)
    if empty is not None and not mentioned_after(text, empty.end()):
        return text[empty.end() :], "", False
    for opening, closing in _FAMILIES:
        tag = opening.match(text, start)
        if tag is not None:
            return _from(text, tag, closing)
    return None


def _from(text: str, tag: re.Match[str], closing: str) -> tuple[str, str, bool] | None:
    """Split at the closing tag of an opened trace; a family's own first, then any, as models mix them up."""
    if mentioned_after(text, tag.end()):
        return None
    pattern = re.compile(closing.format(name=re.escape(tag[1])), re.IGNORECASE)
    end = _closing(pattern, text, tag.end()) or _closing(_ORPHAN, text, tag.end())
    if end is not None:
        thought, after = text[tag.end() : end.start()], text[end.end() :]
        if _only_mentioned(thought, text, end):
            return None
        return after, thought, False
    answer = _ANSWER.search(text, tag.end())
    if answer is not None:
        return text[answer.end() :], text[tag.end() : answer.start()], False
    if (tag[0].startswith("[") and not tag[0].isupper()) or not tag[0].startswith(("<", "[", "◁")):
        return None
    return "", text[tag.end() :], True


def _closing(pattern: re.Pattern[str], text: str, start: int) -> re.Match[str] | None:
    """Find the first closing tag that the thought does not quote."""
    return next((end for end in pattern.finditer(text, start) if not quoted(text, *end.span())), None)


def _only_mentioned(thought: str, text: str, end: re.Match[str]) -> bool:
    """Tell ``<think>…</think> tags hold …`` and ``<think>...</think> is`` from a trace and its answer."""
    if "\n" in thought:
        return False
    rest_of_line = text[end.end() :].partition("\n")[0].strip()
    if thought.strip() and _PLACEHOLDER.fullmatch(thought):
        return bool(rest_of_line)
    return mentioned_after(text, end.end()) and rest_of_line != ""


def _orphan(text: str, start: int) -> tuple[str, str, bool] | None:
    """Split at a closing tag that nothing opened; only the first one of a text is looked at."""
    end = _first_orphan(text, start)
    if end is None or (text[start] in "{[" and text.rstrip()[-1] in "}]"):
        return None
    opened = any(not quoted(text, *tag.span()) for tag in _OPENED.finditer(text, start, end.start()))
    if opened or not closes_a_trace(text[start:], end.start() - start, end.end() - start):
        return None
    return text[end.end() :], text[start : end.start()], False


def _first_orphan(text: str, start: int) -> re.Match[str] | None:
    """Find the first closing tag; plain searches for how they begin take a hundredth of the pattern's time."""
    first: re.Match[str] | None = None
    for begin in _ORPHAN_BEGINS:
        stop = len(text) if first is None else first.start()
        place = text.find(begin, start, stop)
        while place >= 0:
            tag = _ORPHAN.match(text, place)
            if tag is not None:
                first = tag
                break
            place = text.find(begin, place + 1, stop)
    return first


def _unwrapped(answer: str) -> str:
    """Take the frame off an answer that stands in one as a whole, as some models are trained to give it."""
    frame = _WRAPPED.fullmatch(answer)
    if frame is None:
        return answer.lstrip()
    return next(part for part in frame.group("inside", "solution", "reply") if part is not None).strip()
