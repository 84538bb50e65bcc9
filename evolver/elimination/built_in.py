"""The rules of evolver's own, in the order in which they are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from evolver.elimination.about_rewriting import about_rewriting
from evolver.elimination.answer_given import answer_given
from evolver.elimination.copied_prompt import copied_prompt
from evolver.elimination.language_changed import language_changed
from evolver.elimination.longer_than_parent import longer_than_parent
from evolver.elimination.missing_material import missing_material
from evolver.elimination.no_information_gain import NAME as NO_GAIN
from evolver.elimination.no_information_gain import no_information_gain
from evolver.elimination.only_repeats import only_repeats
from evolver.elimination.only_stop_words import only_stop_words
from evolver.elimination.refusal import refusal
from evolver.elimination.truncated import truncated
from evolver.elimination.verdict import Reads, Rule


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A rule of evolver's own.

    ``version`` rises whenever its verdicts change; ``default`` rules are asked where nothing else is said;
    ``compares`` is said of those that have nothing to say without a parent. ``precision`` is how many of the rows it
    dropped deserved it, and how many it dropped, on the rows labelled by hand in the tests.
    """

    reads: Reads
    check: Rule
    version: int = 1
    default: bool = True
    compares: bool = False
    precision: tuple[int, int] | None = None

    @property
    def drops(self) -> str:
        """What it drops, in a sentence: the first line of its description."""
        return (self.check.__doc__ or "").strip().partition("\n\n")[0].replace("\n    ", " ")


BUILT_IN: Final = {
    "truncated": BuiltIn("both", truncated),  # first: what was cut is judged by nothing else
    NO_GAIN: BuiltIn("instruction", no_information_gain, compares=True),
    "copied_prompt": BuiltIn("instruction", copied_prompt, version=2),
    "about_rewriting": BuiltIn("instruction", about_rewriting, precision=(55, 55)),
    "missing_material": BuiltIn("instruction", missing_material, precision=(30, 30)),
    "language_changed": BuiltIn(
        "instruction", language_changed, default=False, compares=True, precision=(8, 8)
    ),
    "longer_than_parent": BuiltIn(
        "instruction", longer_than_parent, default=False, compares=True, precision=(3, 4)
    ),
    "refusal": BuiltIn("response", refusal),
    "only_stop_words": BuiltIn("response", only_stop_words),
    "only_repeats": BuiltIn("response", only_repeats, precision=(5, 5)),
    "answer_given": BuiltIn("response", answer_given, default=False, precision=(3, 4)),
}
