"""Read pools of broken bytes, structures and encodings: each must be read or refused with one sentence, in good time.

    python scripts/fuzz_pools.py --pools 10000 --seed 0

A pool is one of some good ones (every format, packed and not), broken in some of many ways. What fails is kept in the
folder that is named at the end, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import bz2
import csv
import gzip
import io
import json
import lzma
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from evolver.errors import PoolError
from evolver.pool import Pool, PoolReport, Reading

SECONDS_A_BYTE = 2e-5
"""Bound on the time of a pool: 20 s for a megabyte, far above what is usual, far below what is not linear."""

WORDS = [
    *(
        "sort",
        "list",
        "colour",
        "bread",
        "é",
        "ñ",
        "日本",
        "\u2028",
        "😀",
        "<b>",
        '"x"',
        "'y'",
        ",",
        ";",
        "|",
        "\t",
    ),
    *("{z}", "[1]", "\\n", "\n", "None", "NaN", "### Instruction:", "18. Instruction:"),
]
NAMES = [
    "instruction",
    "Prompt",
    "question",
    "input",
    "output",
    "completion",
    "answer",
    "text",
    "messages",
    "id",
    "x",
    "",
]
TOKENS = [
    *(
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b":",
        b'"',
        b"'",
        b"\\",
        b"\n",
        b"\r",
        b"\r\n",
        b"\t",
        b";",
        b"|",
        b"\0",
        b"\xff",
    ),
    *(
        b"\xfe\xff",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xe9",
        b"\xc3",
        b"\xed\xa0\x80",
        b"PAR1",
        b"\x1f\x8b\x08",
        b"PK\x03\x04",
    ),
    *(
        b"<html>",
        b"null",
        b"NaN",
        b"1e999",
        b"[" * 3000,
        b'{"a":' * 3000,
        b"\t\t" * 50,
        b"sep=;\n",
        b"version https://git-lfs",
    ),
    *(
        b'"instruction"',
        b'{"instruction": "a"}',
        b'{"messages": [',
        b"- instruction: a\n",
        b"{'a': 1}",
        b"\\ud800",
        b"### ",
    ),
    *(
        b"BZh9",
        b"\x28\xb5\x2f\xfd",
        b"\xfd7zXZ\x00",
        b"ARROW1",
        b"\xff\xff\xff\xff",
        b"Below is an instruction",
        b'""""',
    ),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pools", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        failed = Path(tempfile.mkdtemp(prefix="evolver-fuzz-"))
        outcome: Counter[str] = Counter()
        slowest = 0.0
        start = time.monotonic()
        for number in range(options.pools):
            data, name = broken(Random(f"{options.seed} {number}"))
            found, seconds = try_pool(Path(folder), data, name)
            slowest = max(slowest, seconds)
            outcome[found.partition(":")[0]] += 1
            if found not in ("read", "refused"):
                print(f"pool {number}: {found}")
                (failed / f"{number}-{name}").write_bytes(data)
    took = time.monotonic() - start
    counts = ", ".join(f"{count:,} {what}" for what, count in sorted(outcome.items()))
    print(
        f"{options.pools:,} pools of seed {options.seed} in {took:.0f} s: {counts}; the slowest took {slowest:.2f} s"
    )
    if set(outcome) - {"read", "refused"}:
        sys.exit(f"what failed is in {failed}")
    failed.rmdir()


def try_pool(folder: Path, data: bytes, name: str) -> tuple[str, float]:
    """Read a pool; return ``read``, ``refused`` or what went wrong, and the seconds it took."""
    path = folder / name
    path.write_bytes(data)
    start = time.process_time()
    try:
        found = _read(path)
    except Exception as error:  # noqa: BLE001 - that there is none is what is looked for
        found = f"{type(error).__name__}: {error}"
    seconds = time.process_time() - start
    left = {one.name for one in folder.iterdir()} - {name}
    path.unlink()
    if left:
        return f"wrote {left}", seconds
    if seconds > 1 + SECONDS_A_BYTE * len(data):
        return f"slow: {seconds:.1f} s for {len(data):,} bytes", seconds
    return found, seconds


def _read(path: Path) -> str:
    pool = Pool(path, Reading(turns="all", join=frozenset({"system", "context"})))
    report = PoolReport()
    try:
        for seed in pool.seeds(report):
            if not seed.instruction.strip() or "\0" in seed.instruction:
                return "empty: a seed without an instruction"
            json.dumps(seed.details).encode()
            (seed.instruction + (seed.response or "")).encode()
    except PoolError as error:
        text = str(error)
        whole = (
            "; nothing was written. " in text
            and text.endswith(".")
            and not re.search(r"[\n\r\x00-\x1f]", text)
        )
        return "refused" if whole else f"unclear: {text!r}"
    json.dumps(report.as_json())
    return "read" if report.seeds else "empty: no seed and no error"


def broken(rng: Random) -> tuple[bytes, str]:
    """Return the bytes of a pool and its name."""
    data = rng.choice(GOOD)(rng)
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        data = rng.choice(DAMAGE)(rng, data)
    if rng.random() < 0.15:
        data = rng.choice(PACK)(data)
        if rng.random() < 0.5:
            data = rng.choice(DAMAGE)(rng, data)
    name = "pool" + rng.choice(("", ".json", ".jsonl", ".csv", ".tsv", ".txt", ".parquet", ".jsonl.gz"))
    return data, name


def _text(rng: Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(0, 12)))


def _row(rng: Random) -> dict[str, object]:
    row: dict[str, object] = {name: _text(rng) for name in rng.sample(NAMES, rng.randint(1, 5))}
    if "messages" in row or rng.random() < 0.2:
        turns = [
            {"role": rng.choice(("user", "assistant", "system", "tool")), "content": _text(rng)}
            for _ in range(rng.randint(0, 5))
        ]
        row[rng.choice(("messages", "conversations"))] = turns if rng.random() < 0.8 else json.dumps(turns)
    if rng.random() < 0.1:
        row[rng.choice(NAMES)] = rng.choice(
            (None, True, 3, 2.5, float("nan"), [], ["a"], {"a": 1}, [{"text": "x"}], "\ud800")
        )
    return row


def _rows(rng: Random) -> list[dict[str, object]]:
    return [_row(rng) for _ in range(rng.choice((1, 2, 5, 40)))]


def _list(rng: Random) -> bytes:
    rows: object = _rows(rng)
    return json.dumps(
        {"data": rows} if rng.random() < 0.2 else rows,
        ensure_ascii=rng.random() < 0.5,
        indent=rng.choice((None, 1)),
    ).encode("utf-8", "replace")


def _lines(rng: Random) -> bytes:
    end = rng.choice(("\n", "\r\n"))
    return end.join(json.dumps(row, ensure_ascii=rng.random() < 0.5) for row in _rows(rng)).encode(
        "utf-8", "replace"
    )


def _table(rng: Random) -> bytes:
    text = io.StringIO()
    names = rng.sample(NAMES, rng.randint(1, 6))
    writer = csv.writer(
        text, delimiter=rng.choice(",;\t|"), quoting=rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    )
    writer.writerows([names, *([_text(rng) for _ in names] for _ in range(rng.choice((0, 1, 5, 40))))])
    return text.getvalue().encode(
        rng.choice(("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252")), "replace"
    )


def _plain(rng: Random) -> bytes:
    return "\n".join(_text(rng) for _ in range(rng.choice((0, 1, 5, 40)))).encode(
        rng.choice(("utf-8", "utf-16", "cp1252", "shift_jis")), "replace"
    )


def _parquet(rng: Random) -> bytes:
    out = io.BytesIO()
    rows = [
        {"instruction": _text(rng), "output": _text(rng), "id": number}
        for number in range(rng.choice((0, 1, 50)))
    ]
    pq.write_table(
        pa.Table.from_pylist(rows or [{"x": 1}]), out, compression=rng.choice(("zstd", "snappy", "none"))
    )
    return out.getvalue()


def _arrow(rng: Random) -> bytes:
    out = io.BytesIO()
    table = pa.Table.from_pylist(
        [{"instruction": _text(rng), "output": _text(rng)} for _ in range(rng.choice((1, 50)))]
    )
    make = pa.ipc.new_stream if rng.random() < 0.5 else pa.ipc.new_file
    with make(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def _noise(rng: Random) -> bytes:
    return rng.randbytes(rng.choice((1, 10, 300, 5000)))


def _tokens(rng: Random) -> bytes:
    return b"".join(rng.choices(TOKENS, k=rng.randint(1, 40)))


def _cut(rng: Random, data: bytes) -> bytes:
    return data[: rng.randint(0, len(data))]


def _flip(rng: Random, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(rng.randint(1, 5) if out else 0):
        out[rng.randrange(len(out))] = rng.randrange(256)
    return bytes(out)


def _insert(rng: Random, data: bytes) -> bytes:
    place = rng.randint(0, len(data))
    return data[:place] + rng.choice(TOKENS) + data[place:]


def _remove(rng: Random, data: bytes) -> bytes:
    place = rng.randint(0, len(data))
    return data[:place] + data[place + rng.randint(1, 40) :]


def _repeat(rng: Random, data: bytes) -> bytes:
    place = rng.randint(0, len(data))
    return data[:place] + data[place : place + rng.randint(1, 30)] * rng.choice((2, 50, 3000)) + data[place:]


def _swap(rng: Random, data: bytes) -> bytes:
    return data.replace(rng.choice(TOKENS[:15]), rng.choice(TOKENS[:15]))


def _double(_rng: Random, data: bytes) -> bytes:
    return data + data


GOOD: list[Callable[[Random], bytes]] = [
    _list,
    _lines,
    _lines,
    _table,
    _table,
    _plain,
    _parquet,
    _arrow,
    _noise,
    _tokens,
]
DAMAGE: list[Callable[[Random, bytes], bytes]] = [
    _cut,
    _flip,
    _insert,
    _insert,
    _remove,
    _repeat,
    _swap,
    _double,
]
PACK: list[Callable[[bytes], bytes]] = [
    gzip.compress,
    bz2.compress,
    lzma.compress,
    zstandard.ZstdCompressor().compress,
    lambda data: gzip.compress(gzip.compress(data)),
]


def outcomes(pools: int, seed: int, folder: Path) -> Iterator[tuple[int, str]]:
    """Yield number and outcome of each pool, for the tests."""
    for number in range(pools):
        data, name = broken(Random(f"{seed} {number}"))
        yield number, try_pool(folder, data, name)[0]


if __name__ == "__main__":
    main()
