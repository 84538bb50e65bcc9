"""What a finished run says on a terminal of 80 columns."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from evolver.cli.final import print_final
from evolver.cli.options import DEFAULT_STORE
from evolver.cli.progress import Progress
from evolver.cli.terminal import stderr_console
from evolver.cli.words import SHORT_RULES, counted
from evolver.events import Stopping
from evolver.report.summary import EpochStats, RunStats
from evolver.result import Result

RULES = dict.fromkeys(SHORT_RULES, 12_345)


def said(eliminated: dict[str, int]) -> list[str]:
    epoch = EpochStats(1, 208_000, 123_456, eliminated, 1_234)
    stats = RunStats(1, 208_000, 123_456, eliminated, 1_234, 0, 0, 0, None, [epoch])
    out = io.StringIO()
    print_final(Console(file=out, width=80), _result(stats))
    return out.getvalue().splitlines()


def _result(stats: RunStats, store: str = "e.db") -> Result:
    given: dict[str, Any] = {"run": "r", "store": store, "stats": stats, "dataset": None, "pool": None}
    return Result(**given)


def test_rules_of_ones_own_share_one_column_and_all_columns_fit_in_80() -> None:
    _, head, first, total, *_ = said({**RULES, "mine": 40, "yours": 2})
    assert head.split()[-2:] == ["other", "failed"]
    assert first.split()[-2:] == total.split()[-2:] == ["42", "1,234"]
    assert all(name in head for name in SHORT_RULES.values())
    assert "…" not in head + first + total


def test_without_rules_of_ones_own_there_is_no_column_for_them() -> None:
    assert "other" not in said(RULES)[1]


def test_one_thing_is_not_several() -> None:
    assert [counted(count, "seed") for count in (0, 1, 2, 1000)] == [
        "0 seeds",
        "1 seed",
        "2 seeds",
        "1,000 seeds",
    ]


@pytest.mark.parametrize(("store", "there"), [("my runs.db", " --store 'my runs.db'"), (DEFAULT_STORE, "")])
def test_the_hint_after_a_run_names_a_store_that_is_not_the_default(store: str, there: str) -> None:
    stats = RunStats(1, 1, 1, {}, 0, 0, 0, 0, None, [EpochStats(1, 1, 1, {}, 0)])
    out = io.StringIO()
    print_final(Console(file=out, width=80), _result(stats, store))
    assert f"'evolve stats{there}' or 'evolve sql{there}'" in out.getvalue()


@pytest.mark.parametrize("wished", [True, False])
def test_a_second_ctrl_c_is_offered_only_to_whoever_pressed_the_first(wished: bool) -> None:
    out = io.StringIO()
    Progress(Console(file=out, width=80))(Stopping("the account is empty", 2, wished))
    assert ("Ctrl-C" in out.getvalue()) == wished


def test_a_models_name_keeps_its_signs_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    stderr_console().print("openai:m: no", markup=False)
    assert capsys.readouterr().err == "openai:m: no\n"
