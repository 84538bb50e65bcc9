"""The helpers that measure: other processes, turns, medians, tables."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from benchmarks.measure import Child, ChildFailedError, alternately, peak_mb, spread
from benchmarks.results import Section, Table, markdown, save, shown
from benchmarks.scheduling import from_first_call, thinned

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads Linux's /proc")

ABOUT = {
    "machine": {
        "cores": 2,
        "processor": "x",
        "memory_gb": 4,
        "system": "s",
        "python": "p",
        "sqlite": "3",
        "packages": {},
    },
    "date": "2026-01-01",
    "load": [0.1, 0.2],
    "seconds": 3.0,
    "full": False,
}


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_measured_process_gives_its_last_line_back_as_json() -> None:
    with Child(python("print('noise'); print('{\"calls\": 3}')")) as child:
        child.wait()

        assert child.report() == {"calls": 3}


def test_cpu_time_counts_the_descendants_that_a_process_waited_for() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    with Child(python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])")) as child:
        assert child.wait().cpu_s >= 0.3


def test_a_process_that_fails_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    with (
        Child(python("raise SystemExit('no such pool')"), errors=tmp_path / "errors") as child,
        pytest.raises(ChildFailedError, match="no such pool"),
    ):
        child.wait()


def test_a_process_that_takes_too_long_is_killed() -> None:
    with Child(python("import time; time.sleep(600)")) as child, pytest.raises(TimeoutError, match=r"0\.2 s"):
        child.wait(timeout=0.2)


def test_killing_a_process_kills_what_it_started(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    sleeper = "['sh', '-c', 'echo $$; exec sleep 600']"
    start = f"import subprocess; subprocess.run({sleeper}, stdout=open({str(fifo)!r}, 'w'))"
    child = Child(python(f"import sys; {start}"))
    with fifo.open() as grandchild:
        pid = int(grandchild.readline())
        child.kill()

        assert grandchild.read() == ""  # its end of the pipe is closed: it is gone
    assert pid > 0


def test_ways_are_measured_in_turn_and_each_round_in_the_opposite_order() -> None:
    order: list[str] = []

    found = alternately(3, {"a": lambda: order.append("a"), "b": lambda: order.append("b")})

    assert order == ["a", "b", "b", "a", "a", "b"]
    assert {name: len(values) for name, values in found.items()} == {"a": 3, "b": 3}


def test_spread_is_the_range_over_the_median() -> None:
    assert spread([1.0, 2.0, 3.0]) == 1.0
    assert spread([2.0]) == 0.0


def test_the_peak_of_a_child_does_not_begin_with_its_parents() -> None:
    ballast = bytearray(os.urandom(1)) * (300 << 20)
    code = "from benchmarks.measure import peak_mb; import json; print(json.dumps({'mb': peak_mb()}))"
    with Child(python(code)) as child:
        child.wait()

        assert child.report()["mb"] < 150 < len(ballast) / 2**20 < peak_mb()


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "–"),
        ("x", "x"),
        (12345, "12,345"),
        (1234.5, "1,234"),
        (123.4, "123"),
        (1.234, "1.23"),
        (0.0123, "0.0123"),
        (0.0, "0.00"),
    ],
)
def test_cells_are_shown_with_about_three_digits(cell: str | float | None, text: str) -> None:
    assert shown(cell) == text


def test_a_section_replaces_its_older_self_and_leaves_the_others(tmp_path: Path) -> None:
    def section(name: str, value: int) -> Section:
        return Section(name, name.upper(), "", [Table("t", ("c",), [[value]])])

    for name, value in (("one", 1), ("two", 2), ("one", 3)):
        save(tmp_path, section(name, value), ABOUT)

    known = json.loads((tmp_path / "results.json").read_text())
    assert [known[name]["tables"][0]["rows"] for name in ("one", "two")] == [[[3]], [[2]]]
    assert (tmp_path / "results.md").read_text() == markdown(known)
    assert "| 3 |" in markdown(known)


def test_a_thinned_curve_keeps_its_end() -> None:
    curve = [(second / 10, second) for second in range(5000)]

    thin = thinned(curve, most=100)

    assert len(thin) <= 101
    assert thin[-1] == (499.9, 4999.0)


def test_a_servers_samples_count_from_its_first_call() -> None:
    assert from_first_call([[5.0, 1], [6.0, 2]]) == [(0.0, 1.0), (1.0, 2.0)]
