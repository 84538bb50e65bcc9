"""What a model puts around the text it was asked for: tokens of its chat template, and chat.

Both come off where they cannot be anything else. What stands in the text that the model was given is the user's and
stays, and so does what is quoted, in code, or explained.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from evolver.markup import in_code, quoted
from evolver.text import fold, unwrap

_BAR: Final = "[|｜]"
_END: Final = re.compile(
    rf"<{_BAR}(?:im_end|im_sep|e(?:ot|om|oa|od)_id|eot|eos|eom|eoa|eod|end|return|endoftext|end_of_(?:text|turn|role|"
    rf"sentence|message)|end▁of▁sentence|endofprompt|end_of_turn_token){_BAR}>"
    r"|<\|im_end>|<end_of_turn>|<turn\|>|<eos>|</s>|\[/INST\]|\[EOS\]",
    re.IGNORECASE,
)
_START: Final = re.compile(
    rf"<{_BAR}(?:im_start|start|start_header_id|begin_of_text|startoftext|start_of_role|start_of_turn_token|user|"
    rf"assistant|system|human|begin▁of▁sentence){_BAR}>"
    r"|<start_of_turn>|<\|turn>|<bos>|<s>|\[INST\]|<<SYS>>",
    re.IGNORECASE,
)
_ROLE: Final = re.compile(r"(?:assistant|model)\b[ \t]*(?=\n|<)", re.IGNORECASE)
_HEADER_END: Final = re.compile(r"<\|(?:end_header_id|message|end_of_role)\|>", re.IGNORECASE)
_NEXT_TURN: Final = re.compile(r"\s*(?:user|human|system|assistant)[ \t]*(?::|\n)", re.IGNORECASE)
_BEGINS: Final = (
    "<|",
    "<｜",
    "[/INST]",
    "[INST]",
    "</s>",
    "<s>",
    "<end_of_turn>",
    "<turn|>",
    "<eos>",
    "<bos>",
)

_WHAT: Final = "prompt|instruction|question|version|task|problem|request|rewrite|text|query|challenge"
_HOW: Final = (
    "re-?written|re-?phrased|re-?worded|revised|updated|modified|improved|enhanced|evolved|created|new|brand-new|"
    "harder|more [a-z]+|slightly [a-z ]+|your|final|resulting|adapted|refined|expanded|complex"
)
_HELLO: Final = r"(?:Sure(?: thing)?|Certainly|Of course|Absolutely|Okay|OK|Alright|Got it|Understood|Great)"
_FRAME: Final = re.compile(
    rf"\**(?:{_HELLO}[!,.:]*\s+)?"
    r"(?:(?:Here(?:'s|’s| is| are)|Below is|This is|The following is)\s+"
    rf"(?:[^\n:.!?]{{0,60}}\s)?(?:{_HOW})\b[^\n:.!?]{{0,60}}?\b(?:{_WHAT})s?\b[^\n:]{{0,100}}"
    r"|here (?:you go|it is))\s*(?::|(?=\n))\**",
    re.IGNORECASE,
)
_GREETING: Final = re.compile(
    r"(?:Sure|Certainly|Of course|Absolutely)(?:!\s+|[,.:]?\s*\n\s*)", re.IGNORECASE
)
_OFFER: Final = re.compile(
    r"\n[ \t]*\n\s*(?:[-*_]{3,}\s*\n\s*)?"
    r"(?:(?:Please )?let me know (?:if|whether|how|what)|(?:Please )?feel free to|I hope (?:this|that|it)|Hope this|"
    r"If you(?:'d| would| have| need| want| like)[^\n]{0,80}(?:let me know|feel free|just ask|I can|I'll)|"
    r"Would you like (?:me|to|any)|Do you want me|Is there anything (?:else|more)|Is this what you)"
    r"[^\n\"”']{0,300}\s*\Z",
    re.IGNORECASE,
)
_LABELS: Final = ("Rewritten Prompt", "Created Prompt", "New Prompt")
_BOLD: Final = re.compile(r"\*\*(?P<inside>[^*\n]+)\*\*")
_MOST_FRAMES: Final = 4
_LONGEST_OFFER: Final = 800  # characters


def without_tokens(text: str, given: str) -> str:
    """Take off a template's tokens: those of the model's own turn before ``text``, and the end with what follows.

    An end is cut where nothing or another turn comes after it, and no turn was opened before it: a text that shows
    how a template looks is left alone.

    Args:
        text: A completion.
        given: What the model was asked; tokens in it are the user's words.
    """
    if not any(begin in text for begin in _BEGINS):
        return text
    text = _without_turn(text, given)
    for end in _bare(_END, text, given):
        after = text[end.end() :]
        opened = next(_bare(_START, text[: end.start()], given), None)
        follows = not after.strip() or _START.match(after.lstrip()) or _END.match(after.lstrip())
        if opened is None and (follows or _NEXT_TURN.match(after)):
            return text[: end.start()].rstrip()
        return text
    return text


def tokens_in(text: str) -> Iterator[str]:
    """Yield every token of a chat template in ``text``; ``<s>`` and ``</s>`` as a pair are HTML."""
    if not any(begin in text for begin in _BEGINS):
        return
    for pattern in (_END, _START):
        for token in pattern.finditer(text):
            if not _is_html(text, token):
                yield token.group()


def unframed(instruction: str, parent: str) -> str:
    """Take chat off an instruction: "Sure! Here is the rewritten prompt:" before it, an offer to go on after it.

    What is left is unwrapped again, as a label, a fence, quotes or bold type may have stood inside. Words that the
    ``parent`` holds too are the user's, and stay; so does an instruction of which nothing would be left.
    """
    known = fold(parent)
    inner = instruction
    for _ in range(_MOST_FRAMES):
        shorter = _without_chat(inner, known)
        if shorter == inner or not shorter.strip():
            break
        inner = unwrap(shorter, *_LABELS)
        bold = _BOLD.fullmatch(inner)
        inner = bold["inside"] if bold else inner
    return inner


def _without_chat(text: str, known: str) -> str:
    stripped = text.lstrip()
    for pattern in (_FRAME, _GREETING):
        frame = pattern.match(stripped)
        if frame is not None and fold(frame.group()) not in known:
            return stripped[frame.end() :].lstrip()
    offer = _OFFER.search(text, max(0, len(text) - _LONGEST_OFFER))
    if offer is not None and fold(offer.group()) not in known:
        return text[: offer.start()].rstrip()
    return text


def _without_turn(text: str, given: str) -> str:
    """Take the beginning of the model's own turn off: ``<|im_start|>assistant``."""
    rest = text
    while True:
        stripped = rest.lstrip()
        token = _START.match(stripped) or (_HEADER_END.match(stripped) if rest is not text else None)
        if token is None or token.group() in given or (token.group().lower() == "<s>" and "</s>" in stripped):
            return rest if rest is text else stripped
        rest = stripped[token.end() :]
        role = _ROLE.match(rest)
        rest = rest[role.end() :] if role else rest


def _bare(pattern: re.Pattern[str], text: str, given: str) -> Iterator[re.Match[str]]:
    """Find tokens that are none of the user's words, and neither quoted nor in code nor HTML."""
    for token in pattern.finditer(text):
        place = token.start()
        mentioned = quoted(text, *token.span()) or in_code(text, place)
        if token.group() not in given and not mentioned and not _is_html(text, token):
            yield token


def _is_html(text: str, token: re.Match[str]) -> bool:
    tag = token.group().lower()
    return (tag == "</s>" and "<s>" in text[: token.start()]) or (
        tag == "<s>" and "</s>" in text[token.end() :]
    )
