"""Read large pools and say how long it took and how much memory: a gigabyte of CSV and one of JSONL.

    python scripts/measure_pools.py --megabytes 1000

Each pool is written to a temporary folder, surveyed (digest, counts and sample in one pass) in a process of its own,
and removed. Rows are of 4 kB, an answer of some 700 words; every seed takes some 130 bytes, whatever its length.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

FILLER = "the starch of the crumb takes up water and, as it cools, falls into order again; " * 48
READ = """
import sys, time
from evolver.pool import Pool
start = time.perf_counter()
survey = Pool(sys.argv[1]).survey(200)
took = time.perf_counter() - start
[peak] = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(f"{survey.seeds:,} seeds in {took:.1f} s, {int(peak.split()[1]) // 1024:,} MiB at most")
"""


def write_csv(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["prompt", "completion", "kind"])
        writer.writerows([f'Explain "{number}", why\\nand how.', FILLER, "x"] for number in range(rows))


def write_jsonl(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            file.write(
                json.dumps({"instruction": f"Explain {number}: é", "output": FILLER, "kind": "x"}) + "\n"
            )


WRITERS: dict[str, Callable[[Path, int], None]] = {"CSV": write_csv, "JSONL": write_jsonl}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=1_000)
    megabytes = parser.parse_args().megabytes
    with tempfile.TemporaryDirectory() as folder:
        for share in (10, 1):
            for kind, write in WRITERS.items():
                path = Path(folder, "pool")
                write(path, megabytes * 1_000_000 // share // (len(FILLER) + 60))
                said = subprocess.run(
                    [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True
                )
                print(f"{kind} of {path.stat().st_size / 1e6:,.0f} MB: {said.stdout.strip()}")
                path.unlink()


if __name__ == "__main__":
    main()
