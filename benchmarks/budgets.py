"""What a budget of one dollar spends: at any number of slots, in batches, over restarts, with long answers, uncounted.

    python -m benchmarks.budgets [--only WORD] [--write]

Each case is one command with ``--max-cost 1`` for work that costs some five (200 instructions, 2 epochs, $10 and $30
for a million tokens), against the simulated provider, which counts for itself. A case with stops is stopped four times,
by Ctrl-C and ``kill -9`` in turn, before it may come to its end. The budget may be passed by a fiftieth or by one call.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.llmsim.process import SimServer
from benchmarks.measure import EVOLVE
from benchmarks.page import as_table, write

_SEEDS, _EPOCHS, _BUDGET = 200, 2, 1.0
INPUT, OUTPUT = 10.0, 30.0  # dollars for a million tokens
_IN_BATCHES = 0.5
_LIMIT = 2048  # tokens of the longest completion, which is the dearest call
_BOUND = max(0.02 * _BUDGET, (_LIMIT * OUTPUT + 1000 * INPUT) / 1e6)
_LONGEST = 300
_HEAD = ("slots", "way", "provider's count", "run's own", "bound", "lost at stops", "exit", "rows")


@dataclass(frozen=True, slots=True)
class Case:
    """One command. ``signals`` stop it before its last session, each after some more answers or batches."""

    name: str
    slots: int = 64
    model: str = "openai:gpt-4.1-mini"
    batch: bool = False
    signals: tuple[signal.Signals, ...] = ()
    provider: Mapping[str, object] = field(default_factory=dict)


_STOPS = (signal.SIGINT, signal.SIGKILL, signal.SIGINT, signal.SIGKILL)
_CLAUDE = "anthropic:claude-sonnet-4-0"
_LONG = {"dialect": "plain", "rate_think_cut": 0.1}

CASES = (
    Case("live", 8),
    Case("live", 64),
    Case("live", 1000),
    Case("live, 4 stops", signals=_STOPS),
    Case("live, 1,000 slots, 4 stops", 1000, signals=_STOPS),
    Case("batches, OpenAI", batch=True),
    Case("batches, Anthropic", batch=True, model=_CLAUDE),
    Case("batches, OpenAI, 4 stops", batch=True, signals=_STOPS),
    Case("batches, Anthropic, 4 stops", batch=True, model=_CLAUDE, signals=_STOPS),
    Case("batches, killed while one is in flight, then adopted", batch=True, signals=(signal.SIGKILL,)),
    Case("live, a tenth of the answers up to 8 times as long", 64, provider=_LONG),
    Case("live, likewise, 1,000 slots", 1000, provider=_LONG),
    Case("batches, OpenAI, likewise", batch=True, provider=_LONG),
    Case("live, usage missing", 64, provider={"dialect": "ollama"}),
    Case("live, usage as text", 64, provider={"dialect": "llamacpp"}),
)


def command(case: Case, folder: Path, server: SimServer) -> list[str]:
    """Return the command of a case."""
    pool = folder / "pool.json"
    rows = [
        {"instruction": f"Explain to a beginner why the number {each} matters."} for each in range(_SEEDS)
    ]
    pool.write_text(json.dumps(rows), encoding="utf-8")
    address = server.anthropic_base_url if case.model == _CLAUDE else server.openai_base_url
    batch = ["--batch", "--batch-poll", "0.1"] if case.batch else []
    return [
        *(EVOLVE, "--pool", str(pool), "--epochs", str(_EPOCHS), "--store", str(folder / "e.db"), "--yes"),
        *("--model", case.model, "--base-url", address, "--concurrency", str(case.slots), *batch),
        *("--price-in", str(INPUT), "--price-out", str(OUTPUT), "--max-cost", str(_BUDGET)),
        *("--output", str(folder / "out.jsonl"), "--run", "budget", "--quiet"),
    ]


def spent(server: SimServer) -> float:
    """Return the dollars that the provider would put on the bill."""
    stats = server.stats()
    batches = stats["batches"]
    factor = 1 - _IN_BATCHES

    def tokens(name: str) -> float:
        return float(stats[name] - factor * batches[name])

    return (INPUT * tokens("prompt_tokens") + OUTPUT * tokens("completion_tokens")) / 1e6


def stop(process: subprocess.Popen[bytes], how: signal.Signals, case: Case, server: SimServer) -> None:
    """Stop a session once something is under way: some answers, or a batch that is in flight."""
    if case.batch:
        before = server.stats()["batches"]["submitted"]
        while process.poll() is None and server.stats()["batches"]["submitted"] <= before:
            time.sleep(0.05)
    else:
        before = server.stats()["completed"]
        while process.poll() is None and server.stats()["completed"] < before + 30:
            time.sleep(0.02)
    process.send_signal(how)
    process.wait(_LONGEST)


def measure(case: Case) -> tuple[object, ...]:
    """Run one case; return a row of the table."""
    settings = {"latency": "lognormal:0.2:0.5", "batch_seconds": 0.5, **case.provider}
    with tempfile.TemporaryDirectory() as home, SimServer(**settings) as server:
        folder = Path(home)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("EVOLVE_")}
        environment |= {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k", "XDG_STATE_HOME": home}
        words = command(case, folder, server)
        for how in case.signals:
            stop(
                subprocess.Popen(words, env=environment, cwd=home, stderr=subprocess.DEVNULL),
                how,
                case,
                server,
            )
        code = subprocess.run(words, env=environment, cwd=home, timeout=_LONGEST).returncode
        told = subprocess.run(
            [
                EVOLVE,
                "sql",
                "SELECT SUM(cost_usd) AS usd FROM calls",
                "--store",
                str(folder / "e.db"),
                "--json",
            ],
            env=environment,
            cwd=home,
            capture_output=True,
            check=True,
        )
        own = float(json.loads(told.stdout)["usd"])
        output = folder / "out.jsonl"
        rows = len(output.read_text(encoding="utf-8").splitlines()) if output.exists() else 0
        gone = server.stats()["clients_gone"]
        dollars = spent(server)
    bound = f"${_BUDGET + _BOUND:.2f}"
    return f"{case.slots:,}", case.name, f"${dollars:.3f}", f"${own:.3f}", bound, gone, code, rows


def main() -> None:
    """Measure; the exit is 1 where the provider counted more than the bound."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", default="", help="the cases whose names hold this word")
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    given = parser.parse_args()
    rows = []
    for case in CASES:
        if given.only in case.name:
            rows.append(measure(case))
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    table = as_table(_HEAD, rows)
    print(table)
    if given.write:
        write("budgets", table)
    sys.exit(any(float(str(row[2])[1:]) > _BUDGET + _BOUND for row in rows))


if __name__ == "__main__":
    main()
