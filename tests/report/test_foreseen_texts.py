"""What the estimate counts of each purpose besides its prompt: the system text, and the limit of its completions."""

from __future__ import annotations

from pathlib import Path

import pytest

from evolver import Evolution
from evolver.models.protocol import Purpose

SYSTEM = "Write as an engineer would. " * 10
POOL = [{"instruction": f"Name {number} rivers."} for number in range(4)]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tokens(purpose: Purpose, **settings: object) -> tuple[int, int]:
    """Prompt and completion tokens of a purpose's calls in epoch 1."""
    estimate = Evolution(POOL, epochs=1, store="none.db", seed=7, **settings).estimate()  # type: ignore[arg-type]
    (line,) = (one for one in estimate.lines if one.purpose == purpose and one.epoch == 1)
    return line.prompt_tokens, line.completion_tokens


@pytest.mark.parametrize("purpose", ["evolve", "judge", "answer"])
def test_a_system_text_is_part_of_every_prompt(purpose: Purpose) -> None:
    assert tokens(purpose, system=SYSTEM)[0] - tokens(purpose)[0] == 4 * len(SYSTEM) / 4


def test_a_system_text_of_one_purpose_counts_there_alone() -> None:
    assert tokens("judge", judge_system=SYSTEM)[0] > tokens("judge")[0]
    assert tokens("answer", judge_system=SYSTEM) == tokens("answer")


def test_answers_are_as_long_as_their_own_limit_lets_them_be() -> None:
    assert tokens("answer", answer_max_tokens=50)[1] == 4 * 50
    assert tokens("answer", max_tokens=50, answer_max_tokens=300)[1] == 4 * 300


def test_rewrites_are_as_long_as_their_own_limit_lets_them_be() -> None:
    assert tokens("evolve", max_tokens=10)[1] <= 4 * 10 < tokens("evolve")[1]
