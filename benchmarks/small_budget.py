"""What a small budget buys: rows for a dollar of a tenth and a hundredth of the money, beside the whole run.

    python -m benchmarks.small_budget [--seeds 2000] [--write]

The same pool (made from the examples, of Alpaca's kind) and settings, against the simulated provider, which counts the
dollars: first without a bound, then with ``--max-cost`` at shares of what that took. A row is a survivor in the store;
the dataset written at the end is counted too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.budgets import INPUT, OUTPUT, spent
from benchmarks.llmsim.process import SimServer
from benchmarks.measure import EVOLVE
from benchmarks.page import as_table, write
from benchmarks.pools import write_pool

_SHARES = (0.1, 0.01)
_HEAD = ("budget", "provider's count", "rows", "rows for a dollar", "of the whole run's", "dataset", "exit")
_ROWS = "SELECT COUNT(*) AS n FROM instructions WHERE status = 'survivor'"
_LONGEST = 1_500


def run(pool: Path, epochs: int, max_cost: float | None) -> tuple[float, int, int, int]:
    """Return the provider's dollars, survivors, rows of the dataset, and the exit of one run."""
    with (
        tempfile.TemporaryDirectory() as home,
        SimServer(latency="lognormal:0.05:0.5", style="offline") as server,
    ):
        folder = Path(home)
        store = str(folder / "e.db")
        environment = {key: value for key, value in os.environ.items() if not key.startswith("EVOLVE_")}
        environment |= {"OPENAI_API_KEY": "k", "XDG_STATE_HOME": home}
        bound = [] if max_cost is None else ["--max-cost", str(max_cost)]
        words = [
            *(EVOLVE, "--pool", str(pool), "--epochs", str(epochs), "--store", store, "--yes", "--quiet"),
            *("--model", "openai:gpt-4.1-mini", "--base-url", server.openai_base_url),
            *("--price-in", str(INPUT), "--price-out", str(OUTPUT), *bound),
            *("--output", str(folder / "out.jsonl"), "--run", "budget"),
        ]
        code = subprocess.run(words, env=environment, cwd=home, timeout=_LONGEST).returncode
        told = subprocess.run(
            [EVOLVE, "sql", _ROWS, "--store", store, "--json"],
            env=environment,
            cwd=home,
            capture_output=True,
            check=True,
        )
        output = folder / "out.jsonl"
        written = len(output.read_text(encoding="utf-8").splitlines()) if output.exists() else 0
        return spent(server), int(json.loads(told.stdout)["n"]), written, code


def main() -> None:
    """Measure; the exit is 1 where a share buys less than nine tenths of the rows for a dollar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=2_000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    given = parser.parse_args()
    rows: list[tuple[object, ...]] = []
    whole, short, full = 0.0, False, 0.0
    with tempfile.TemporaryDirectory() as home:
        pool = write_pool(Path(home) / "pool.json", given.seeds)
        for share in (None, *_SHARES):
            budget = None if share is None else round(share * full, 4)
            dollars, survivors, written, code = run(pool, given.epochs, budget)
            a_dollar = survivors / dollars
            full, whole = full or dollars, whole or a_dollar
            short = short or a_dollar < 0.9 * whole
            name = "none" if budget is None else f"${budget:.2f} ({share:.0%})"
            rows.append(
                (
                    name,
                    f"${dollars:.3f}",
                    survivors,
                    f"{a_dollar:.1f}",
                    f"{a_dollar / whole:.0%}",
                    written,
                    code,
                )
            )
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    table = as_table(_HEAD, rows)
    print(table)
    if given.write:
        write("small budget", table)
    sys.exit(short)


if __name__ == "__main__":
    main()
