"""Break the code in one place at a time, in a copy of the tree, and see that the tests notice.

A fault that no test catches is printed and makes the exit code 1. Each fault names the tests that must catch it, so
that the whole run takes a few minutes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = (
    "evolver",
    "mutators",
    "offline",
    "store",
    "templates",
    "tests",
    "benchmarks",
    "examples",
    "docs",
    "pyproject.toml",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One place in the code, what it becomes, and the tests that must notice."""

    path: str
    good: str
    bad: str
    tests: str


FAULTS = (
    # rules
    Fault("evolver/elimination/refusal.py", "words >= MAX_WORDS", "words > MAX_WORDS", "tests/elimination"),
    Fault("evolver/elimination/truncated.py", '!= "length"', '== "length"', "tests/elimination"),
    Fault(
        "evolver/elimination/judge.py",
        "if _EQUAL.match(text.lstrip(_DRESS)):",
        'if "equal" in text.lower():',
        "tests/elimination",
    ),
    Fault(
        "evolver/elimination/rules.py",
        'tuple(rule for rule in kept if rule.reads != "response")',
        'tuple(rule for rule in kept if rule.reads == "instruction")',
        "tests/elimination",
    ),
    # store
    Fault(
        "store/evolver_store/schema.py",
        "run << RUN_SHIFT | ordinal << ORDINAL_SHIFT | epoch << EPOCH_SHIFT | attempt",
        "run << RUN_SHIFT | ordinal << ORDINAL_SHIFT | epoch << EPOCH_SHIFT",
        "tests/store",
    ),
    Fault(
        "store/evolver_store/writer.py",
        "return sqlite.insert(table).on_conflict_do_nothing()",
        "return sqlite.insert(table)",
        "tests/store",
    ),
    Fault("store/evolver_store/writer.py", "batch.append(item)", "batch[:] = [item]", "tests/store"),
    Fault(
        "store/evolver_store/connect.py", "PRAGMA synchronous=FULL", "PRAGMA synchronous=OFF", "tests/store"
    ),
    Fault(
        "store/evolver_store/connect.py", "PRAGMA foreign_keys=ON", "PRAGMA foreign_keys=OFF", "tests/store"
    ),
    Fault(
        "store/evolver_store/migrate.py",
        "if version > SCHEMA_VERSION:",
        "if version > SCHEMA_VERSION + 100:",
        "tests/store",
    ),
    Fault("store/evolver_store/runs.py", '"0123456789abcdefg"', '"0123456789abcdef"', "tests/store"),
    # scheduler and asking
    Fault(
        "evolver/scheduler/frontier.py",
        "self._heads[ordinal] or root_id",
        "self._last[ordinal] or root_id",
        "tests/scheduler",
    ),
    Fault(
        "evolver/scheduler/frontier.py",
        "survived or attempt >= self._attempts",
        "survived or attempt > self._attempts",
        "tests/scheduler",
    ),
    Fault(
        "evolver/scheduler/frontier.py",
        "return epoch << _EPOCH_SHIFT | attempt",
        "return -epoch << _EPOCH_SHIFT | attempt",
        "tests/scheduler",
    ),
    Fault(
        "evolver/scheduler/frontier.py",
        "return epoch <= self._epochs",
        "return epoch < self._epochs",
        "tests/scheduler",
    ),
    Fault("evolver/interpreter.py", "gc.unfreeze()", "pass", "tests/evolution"),
    Fault("evolver/models/sdk.py", "body = self.body_of(body)", "pass", "tests/models"),
    Fault(
        "evolver/scheduler/attempt.py",
        'f"{seed}:{root}:{epoch}:{attempt}"',
        'f"{seed}:{id(object())}:{epoch}:{attempt}"',
        "tests/evolution",
    ),
    Fault(
        "evolver/scheduler/attempt.py",
        "temperature=0.0, top_p=None",
        "top_p=None",
        "tests/evolution",
    ),
    Fault(
        "evolver/scheduler/attempt.py",
        "max_tokens=2 * sampling.max_tokens",
        "max_tokens=sampling.max_tokens",
        "tests/evolution",
    ),
    Fault("evolver/calls/ask.py", "        request.sample,\n", "", "tests/calls"),
    Fault("evolver/calls/ask.py", "        request.system,\n", "", "tests/calls"),
    Fault(
        "evolver/calls/ask.py",
        "self.spent >= self.most",
        "self.spent > 2 * self.most",
        "tests/calls",
    ),
    Fault("evolver/scheduler/run.py", "parts.ledger.record(row)", "pass", "tests/evolution"),
    # pool and cleaning
    Fault("evolver/text.py", 'if "\\0" in text:', "if False:", "tests/text"),
    # figures
    Fault(
        "evolver/report/summary.py",
        "cost_usd=paid.cost_usd if paid.calls else 0.0,",
        "cost_usd=total.cost_usd,",
        "tests/facts",
    ),
    Fault(
        "evolver/report/session.py",
        "self._before, self._cached = event.paid, [0, 0, 0]",
        "pass",
        "tests/facts",
    ),
    Fault("evolver/facts/spending.py", "func.count() - priced", "func.count() - func.count()", "tests/facts"),
)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="evolver-faults-") as folder:
        copy = Path(folder)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.exists():
                shutil.copy(source, copy / part)
        for tests in sorted({fault.tests for fault in FAULTS}):
            if not _passes(copy, tests):
                print(f"{tests} fails without any fault; mend that first.")
                return 1
        missed = [fault for fault in FAULTS if not _caught(copy, fault)]
    print(f"{len(FAULTS) - len(missed)} of {len(FAULTS)} faults caught")
    return 1 if missed else 0


def _caught(copy: Path, fault: Fault) -> bool:
    path = copy / fault.path
    good = path.read_text(encoding="utf-8")
    if good.count(fault.good) != 1:
        print(f"STALE   {fault.path}: {fault.good!r} stands there {good.count(fault.good)} times")
        return False
    path.write_text(good.replace(fault.good, fault.bad), encoding="utf-8")
    caught = not _passes(copy, fault.tests)
    path.write_text(good, encoding="utf-8")
    print(f"{'caught ' if caught else 'MISSED '} {fault.path}: {fault.good.strip()[:70]}", flush=True)
    return caught


def _passes(copy: Path, tests: str) -> bool:
    roots = [copy, copy / "mutators", copy / "offline", copy / "store", copy / "templates"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots)), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", tests]
    return subprocess.run(command, cwd=copy, env=env, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
