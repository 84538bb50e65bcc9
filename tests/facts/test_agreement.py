"""Every figure that a command prints is what plain SQL says of the store, on both databases.

Two runs over one store share their calls, so that what a run paid, what its rows took and what a
session did all differ.
"""

from __future__ import annotations

import io
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console
from sqlalchemy import text

from evolver import Completion, Evolution, Request, Result
from evolver.cli.final import print_final
from evolver.cli.main import main
from evolver_store.connect import reading
from tests.postgres_fixture import MakeStore

SEEDS = 6


class Scripted:
    """Rewrites by adding a word; some rewrites are called equal, some answers apologise."""

    name = "scripted/1"
    provider = "scripted"

    async def complete(self, request: Request) -> Completion:
        return Completion(self._text(request), "stop", len(request.prompt), 7)

    def _text(self, request: Request) -> str:
        if request.purpose == "evolve":
            number = zlib.crc32(request.prompt.encode())
            return (
                f"Write {len(request.prompt)} lines about river {number} of the north, and count its bridges."
            )
        if request.purpose == "judge":
            return "Equal" if len(request.prompt) % 5 == 0 else "Not Equal"
        return "Sorry, I cannot." if len(request.prompt) % 7 == 0 else f"An answer to: {request.prompt}"


@dataclass(frozen=True, slots=True)
class Made:
    """A store with a run that was gone on with, and one that was served its calls; and what each session returned."""

    url: str
    first: Result
    longer: Result
    served: Result

    def ask(self, sql: str) -> list[dict[str, Any]]:
        with reading(self.url) as engine, engine.connect() as conn:
            return [dict(row) for row in conn.execute(text(sql)).mappings()]

    def paid(self, run: str) -> dict[str, Any]:
        """What SQL says that a run paid."""
        (row,) = self.ask(
            "SELECT COUNT(*) AS calls, COALESCE(SUM(prompt_tokens), 0) AS prompt_tokens, COALESCE(SUM("
            "completion_tokens), 0) AS completion_tokens, SUM(cost_usd) AS cost_usd FROM calls "
            f"WHERE run_id = (SELECT id FROM runs WHERE name = '{run}')"
        )
        return row

    def told(self, *words: str) -> list[dict[str, Any]]:
        done = CliRunner().invoke(main, [*words, "--json", "--store", self.url], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def made(
    request: pytest.FixtureRequest, make_store: MakeStore, tmp_path_factory: pytest.TempPathFactory
) -> Made:
    pool = tmp_path_factory.mktemp("facts") / "pool.json"
    pool.write_text(json.dumps([{"instruction": f"Name {'a' * n} river."} for n in range(SEEDS)]))
    url = make_store(request.param)

    def run(name: str, epochs: int, skip: tuple[str, ...] = ()) -> Result:
        given: dict[str, Any] = {
            "store": url,
            "output": None,
            "confirm": True,
            "price_in": 1_000_000.0,
            "price_out": 5_000_000.0,
        }
        return Evolution(
            pool, model=Scripted(), run=name, epochs=epochs, skip_rules=skip, answer_seeds="all", **given
        ).run()

    return Made(url, run("first", 1), run("first", 3), run("second", 3, ("truncated",)))


def test_what_a_run_paid_is_one_figure_for_every_command(made: Made) -> None:
    for run, result in (("first", made.longer), ("second", made.served)):
        paid = made.paid(run)
        stats = result.stats
        assert (stats.calls, stats.prompt_tokens, stats.completion_tokens) == (
            paid["calls"],
            paid["prompt_tokens"],
            paid["completion_tokens"],
        )
        assert stats.cost_usd == pytest.approx(paid["cost_usd"] or 0.0)
        (overview,) = (one for one in made.told("runs") if one["name"] == run)
        assert (overview["calls"], overview["cost_usd"]) == (
            paid["calls"],
            pytest.approx(paid["cost_usd"]) if paid["calls"] else None,
        )
        by_purpose = [one for one in made.told("stats", "--run", run) if one["figure"] == "paid"]
        for name in ("calls", "prompt_tokens", "completion_tokens"):
            assert sum(one[name] for one in by_purpose) == paid[name]
        assert sum(one["cost_usd"] for one in by_purpose) == pytest.approx(paid["cost_usd"] or 0.0)


def test_a_run_that_is_served_takes_what_it_did_not_pay_for(made: Made) -> None:
    (rows,) = made.ask(
        "SELECT SUM(prompt_tokens) AS prompt, SUM(completion_tokens) AS completion, SUM(cost_usd) AS cost "
        "FROM instructions WHERE run_id = (SELECT id FROM runs WHERE name = 'second')"
    )
    stats, session = made.served.stats, made.served.session
    assert (stats.calls, stats.cost_usd) == (0, 0.0)
    assert (stats.taken.prompt_tokens, stats.taken.completion_tokens) == (rows["prompt"], rows["completion"])
    assert stats.taken.cost_usd == pytest.approx(rows["cost"])
    assert session.paid.calls == 0
    assert session.cached.prompt_tokens == rows["prompt"]
    assert session.cached.calls == made.paid("first")["calls"]


def test_the_sessions_of_a_run_add_up_to_what_it_paid(made: Made) -> None:
    whole = made.paid("first")
    one, two = made.first.session.paid, made.longer.session.paid
    assert one.calls > 0
    assert two.calls > 0
    assert one.calls + two.calls == whole["calls"]
    assert (one.cost_usd or 0) + (two.cost_usd or 0) == pytest.approx(whole["cost_usd"])
    assert (one + two).prompt_tokens == whole["prompt_tokens"]


def test_the_last_lines_tell_this_session_from_the_whole_run_and_both_from_the_cache(made: Made) -> None:
    whole, session = made.paid("first"), made.longer.session.paid
    first, longer, served = (said(result) for result in (made.first, made.longer, made.served))
    assert f"Paid {made.first.stats.calls} calls, " in first
    assert f"${made.first.stats.cost_usd:,.2f}." in first
    assert f"Paid in this session: {session.calls} calls, " in longer
    assert f"in the whole run: {whole['calls']} calls, {whole['prompt_tokens']:,} + " in longer
    assert f"${whole['cost_usd']:,.2f}." in longer
    assert "Paid" not in served
    assert f"From the cache {made.served.session.cached.calls} calls, " in served


def test_attempts_and_deaths_are_one_figure_for_every_command(made: Made) -> None:
    for run, result in (("first", made.longer), ("second", made.served)):
        rows = made.ask(
            "SELECT epoch, mutator, status, rule, COUNT(*) AS n FROM instructions WHERE epoch > 0 AND run_id = "
            f"(SELECT id FROM runs WHERE name = '{run}') GROUP BY epoch, mutator, status, rule"
        )
        told = made.told("stats", "--run", run)
        (overview,) = (one for one in made.told("runs") if one["name"] == run)
        for status, figure in (("survivor", "survivors"), ("eliminated", "eliminated")):
            count = sum(row["n"] for row in rows if row["status"] == status)
            stats = getattr(result.stats, figure)
            assert (sum(stats.values()) if status == "eliminated" else stats) == count
            cells = [one[figure] for one in told if one["figure"] == "mutator"]
            assert sum(sum(cell.values()) if status == "eliminated" else cell for cell in cells) == count
        assert overview["attempts"] == result.stats.attempts == sum(row["n"] for row in rows) == SEEDS * 3
        deaths: dict[str, int] = {}
        for row in rows:
            if row["status"] == "eliminated":
                deaths[row["rule"]] = deaths.get(row["rule"], 0) + row["n"]
        assert dict(result.stats.eliminated) == deaths == told[0]["eliminated"]
        assert deaths
        for epoch in result.stats.epochs:
            assert epoch.attempts == sum(row["n"] for row in rows if row["epoch"] == epoch.epoch)


def test_tokens_of_attempts_agree_with_the_view_that_users_ask(made: Made) -> None:
    view = made.ask("SELECT * FROM epoch_summary WHERE run = 'first' ORDER BY epoch, mutator")
    cells = [one for one in made.told("stats", "--run", "first") if one["figure"] == "mutator"]
    for row, cell in zip(view, cells, strict=True):
        assert (cell["epoch"], cell["mutator"]) == (row["epoch"], row["mutator"])
        for name in ("attempts", "survivors", "prompt_tokens", "completion_tokens"):
            assert cell[name] == row[name]
        assert cell["cost_usd"] == pytest.approx(row["cost_usd"])


def test_the_estimate_knows_what_was_spent_and_done(made: Made, tmp_path: Path) -> None:
    pool = tmp_path / "pool.json"
    pool.write_text(json.dumps([{"instruction": f"Name {'a' * n} river."} for n in range(SEEDS)]))
    left = Evolution(
        pool,
        model=Scripted(),
        run="first",
        epochs=3,
        answer_seeds="all",
        store=made.url,
        output=None,
        price_in=1_000_000.0,
        price_out=5_000_000.0,
    ).estimate()
    assert (left.attempts_done, left.calls) == (SEEDS * 3, 0)
    assert left.spent_usd == pytest.approx(made.paid("first")["cost_usd"])


def said(result: Result) -> str:
    out = io.StringIO()
    print_final(Console(file=out, width=200), result)
    return out.getvalue()
