"""The mutators that come with evolver."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolver.plugins import MutatorSet, load_mutators
from evolver_mutators import COMPLICATE_INPUT, WIZARDCODER, WIZARDLM
from evolver_mutators.template import TemplateMutator
from evolver_templates import labels

ALL = (*WIZARDLM, *WIZARDCODER)
NAMES = [mutator.name for mutator in ALL]


def test_the_presets_hold_the_mutators_of_the_papers() -> None:
    assert [(mutator.name, mutator.family) for mutator in WIZARDLM] == [
        ("add_constraints", "depth"),
        ("deepen", "depth"),
        ("concretize", "depth"),
        ("increase_reasoning", "depth"),
        ("complicate_input", "depth"),
        ("breadth", "breadth"),
    ]
    assert [mutator.name for mutator in WIZARDCODER] == [
        "code_constraints",
        "code_specific",
        "code_reasoning",
        "code_misdirection",
        "code_complexity",
    ]
    assert {mutator.family for mutator in WIZARDCODER} == {"code"}


def test_each_of_the_six_is_drawn_one_time_in_six() -> None:
    mutators = MutatorSet(load_mutators())
    drawn = Counter(mutators.draw(Random(seed)).name for seed in range(24_000))

    assert len(drawn) == 6
    assert all(abs(count / 24_000 - 1 / 6) < 0.01 for count in drawn.values())


def test_each_format_is_drawn_one_time_in_six() -> None:
    drawn = Counter(COMPLICATE_INPUT.prompt("Q", Random(seed)).details["format"] for seed in range(12_000))

    assert drawn.keys() == labels.FORMATS.keys()
    assert all(abs(count / 12_000 - 1 / 6) < 0.015 for count in drawn.values())


@given(st.integers(0, 2**64))
def test_the_format_is_drawn_once_and_recorded(seed: int) -> None:
    rng, alike = Random(seed), Random(seed)
    prompt = COMPLICATE_INPUT.prompt("Q", rng)

    alike.random()
    assert rng.getstate() == alike.getstate()
    data = labels.FORMATS[prompt.details["format"]]
    assert prompt.text.endswith(f"\nQ\n{labels.rewritten_with(data)}")


@pytest.mark.parametrize(
    "mutator", [one for one in ALL if one is not COMPLICATE_INPUT], ids=lambda one: one.name
)
def test_the_others_draw_nothing(mutator: TemplateMutator) -> None:
    rng = Random(1)
    prompt = mutator.prompt("Q", rng)

    assert rng.getstate() == Random(1).getstate()
    assert prompt.details == {}


@pytest.mark.parametrize("mutator", ALL, ids=NAMES)
def test_every_marker_is_a_phrase_of_the_mutators_own_prompts(mutator: TemplateMutator) -> None:
    prompts = "\n".join(mutator.prompt("Q", Random(seed)).text for seed in range(60)).lower().replace("#", "")

    assert mutator.markers
    assert [marker for marker in mutator.markers if marker not in prompts] == []


@pytest.mark.parametrize("mutator", ALL, ids=NAMES)
def test_an_echoed_label_is_taken_off_and_the_inside_is_kept(mutator: TemplateMutator) -> None:
    label = mutator.prompt("Q", Random(0)).text.rsplit("\n", 1)[1]
    inside = "Sort this:\r\n\n\t| a | b |\n\n```py\nx = '<é>'\n```\n順に。"

    assert mutator.parse(f"  {label}\n{inside}\n") == inside
