"""What the newer rules drop, and what they leave alone, on rows labelled by hand and on pools in the public."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from evolver.elimination.built_in import BUILT_IN
from evolver.elimination.rules import load_rules
from evolver.elimination.verdict import Candidate
from evolver.pool import read_pool
from tests.elimination import labelled

POOLS = Path(os.environ.get("EVOLVER_POOLS", ""))
PAGE = Path(__file__).parents[2] / "docs" / "elimination.md"

Label = tuple[Callable[[Any], Candidate], Sequence[Any], Sequence[Any]]

# By rule: how a candidate is made, what deserves to be dropped, and what does not.
LABELLED: dict[str, Label] = {
    "about_rewriting": (labelled.rewritten, labelled.ABOUT_REWRITING, labelled.NOT_ABOUT_REWRITING),
    "missing_material": (labelled.rewritten, labelled.MISSING, labelled.NOT_MISSING),
    "answer_given": (
        labelled.answered,
        labelled.ANSWER_GIVEN,
        labelled.NO_ANSWER_GIVEN + labelled.ANSWER_ASKED_FOR,
    ),
    "only_repeats": (labelled.answered, labelled.REPEATS, labelled.NO_REPEATS),
    "longer_than_parent": (
        labelled.compared,
        labelled.TOO_LONG,
        labelled.NOT_TOO_LONG + labelled.LONG_WITH_MATERIAL,
    ),
    "language_changed": (labelled.compared, labelled.CHANGED, labelled.NOT_CHANGED),
}


def dropped(name: str, rows: Sequence[Any]) -> list[Any]:
    make = LABELLED[name][0]
    return [row for row in rows if BUILT_IN[name].check(make(row)) is not None]


@pytest.mark.parametrize("name", LABELLED)
def test_a_rule_is_as_precise_on_labelled_rows_as_it_says(name: str) -> None:
    _, bad, good = LABELLED[name]
    right, wrong = dropped(name, bad), dropped(name, good)

    assert BUILT_IN[name].precision == (len(right), len(right) + len(wrong)), wrong
    assert f"| `{name}` | {len(right)} of {len(bad)} | {len(wrong)} of {len(good)} |" in PAGE.read_text(
        "utf-8"
    )


def test_every_rule_with_a_wrong_drop_among_the_labelled_rows_is_off_by_default() -> None:
    measured = {name: rule for name, rule in BUILT_IN.items() if rule.precision is not None}

    assert set(measured) == set(LABELLED)
    for name, rule in measured.items():
        assert rule.precision is not None
        assert not rule.default or rule.precision[0] == rule.precision[1], name


def test_good_rewrites_pass_all_rules_that_are_on_by_default() -> None:
    rules = load_rules(skip=["no_information_gain"])
    good = [*labelled.NOT_ABOUT_REWRITING, *labelled.NOT_MISSING]

    assert [text for text in good if rules.check_instruction(labelled.rewritten(text)) is not None] == []


def test_a_seed_that_points_to_nothing_may_be_evolved() -> None:
    check = BUILT_IN["missing_material"].check
    text = "Rewrite the following sentence in the passive voice."

    assert check(Candidate("Write a sentence.", text)) is not None
    assert check(Candidate("Rewrite the following sentence.", text)) is None


def test_what_stands_in_the_parent_is_its_subject() -> None:
    check = BUILT_IN["about_rewriting"].check
    parent = "Rewrite this prompt so that a model answers it better: sort it"

    assert (
        check(Candidate(parent, "Rewrite this prompt so that a model answers it in French: sort it")) is None
    )


@pytest.mark.skipif(
    not POOLS.is_dir() or not os.environ.get("EVOLVER_POOLS"), reason="EVOLVER_POOLS is not set"
)
@pytest.mark.parametrize("name", ["about_rewriting", "missing_material", "only_repeats"])
def test_hardly_a_row_of_the_public_pools_is_dropped_by_a_default_rule(name: str) -> None:
    rows = [seed for path in sorted(POOLS.glob("*.json*")) for seed in read_pool(path)]
    check = BUILT_IN[name].check

    found = [one for one in rows if check(Candidate("", one.instruction, one.response)) is not None]

    assert len(rows) > 1000
    assert len(found) <= len(rows) / 1000, [one.instruction for one in found]
