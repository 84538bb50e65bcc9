"""Datasets of the Hub as pools, streamed from a stand-in of it on a real socket."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evolver.errors import PoolError
from evolver.pool.hub import Address, parse_address

COMMIT = "c" * 40


def parquet(*rows: dict[str, str]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), out)
    return out.getvalue()


FILES = {
    "README.md": b"# set\n",
    "data/train-00000-of-00001.parquet": parquet(
        {"instruction": "Name a colour.", "output": "Blue"}, {"instruction": "Say x.", "output": "x"}
    ),
    "data/test-00000-of-00001.parquet": parquet({"instruction": "A secret test.", "output": "t"}),
}


class Hub(BaseHTTPRequestHandler):
    """The Hub's HTTP API as far as reading a dataset goes."""

    protocol_version = "HTTP/1.1"
    asked: list[str]

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.asked.append(path)
        if "/nobody/" in path:
            self._json(404, {"error": "Repository not found"})
        elif "/tree/" in path:
            self._json(200, self._tree(path.partition(f"/tree/{COMMIT}")[2].strip("/").replace("%2F", "/")))
        elif "/resolve/" in path:
            name = path.split("/resolve/", 1)[1].partition("/")[2]
            self._file(name)
        elif "/revision/" in path or path.endswith("/datasets/me/set"):
            siblings = [{"rfilename": name} for name in FILES]
            self._json(
                200, {"id": "me/set", "sha": COMMIT, "siblings": siblings, "private": False, "tags": []}
            )
        else:
            self._json(404, {"error": "no such page"})

    def do_POST(self) -> None:
        wanted = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
        found = [one for name in wanted.get("paths", []) for one in self._named(name)]
        self._json(200, found)

    def _named(self, name: str) -> Iterator[dict[str, object]]:
        if name in FILES:
            yield {"type": "file", "path": name, "oid": "1" * 40, "size": len(FILES[name])}
        elif any(one.startswith(f"{name}/") for one in FILES):
            yield {"type": "directory", "path": name, "oid": "2" * 40, "size": 0}

    def _tree(self, under: str) -> list[dict[str, object]]:
        inside = f"{under}/" if under else ""
        names = {inside + name[len(inside) :].partition("/")[0] for name in FILES if name.startswith(inside)}
        recursive = "recursive=True" in self.path or "recursive=true" in self.path
        return [one for name in sorted({*names, *FILES} if recursive else names) for one in self._named(name)]

    def _file(self, name: str) -> None:
        data = FILES.get(name)
        if data is None:
            self._json(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"})
            return
        first, last = 0, len(data) - 1
        wanted = self.headers.get("range", "")
        if wanted.startswith("bytes="):
            begin, _, end = wanted[6:].partition("-")
            first, last = int(begin or 0), min(last, int(end or last))
        self._send(
            206 if wanted else 200,
            data[first : last + 1],
            {"content-range": f"bytes {first}-{last}/{len(data)}"} if wanted else {},
            name,
        )

    def _json(self, status: int, answer: object, headers: dict[str, str] | None = None) -> None:
        self._send(
            status, json.dumps(answer).encode(), {"content-type": "application/json", **(headers or {})}, "x"
        )

    def _send(self, status: int, data: bytes, headers: dict[str, str], name: str) -> None:
        self.send_response(status)
        for key, value in {
            **headers,
            "ETag": f'"{name}"',
            "X-Repo-Commit": COMMIT,
            "Accept-Ranges": "bytes",
        }.items():
            self.send_header(key, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


@pytest.fixture
def hub() -> Iterator[tuple[str, list[str]]]:
    pytest.importorskip("datasets")
    handler = type("OneHub", (Hub,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler.asked  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


READ = """
import json, sys
from evolver.pool import Pool, PoolReport
report, pool = PoolReport(), Pool(sys.argv[1])
try:
    seeds = [(seed.instruction, seed.response) for seed in pool.seeds(report)]
    again = [(seed.instruction, seed.response) for seed in pool.seeds()]
    print(json.dumps([seeds, seeds == again, pool.sha256, report.as_json()]))
except Exception as error:
    print(json.dumps(f"{type(error).__name__}: {error}"))
"""


def read(address: str, endpoint: str, home: Path) -> Any:
    """Read in a process of its own, because the Hub's client takes its address when it is imported."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    env = {**kept, "HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        [sys.executable, "-c", READ, address], capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_a_dataset_is_streamed_and_the_commit_it_was_at_is_told(
    hub: tuple[str, list[str]], tmp_path: Path
) -> None:
    endpoint, _ = hub

    seeds, again, sha256, report = read("hf:me/set", endpoint, tmp_path)

    assert seeds == [["Name a colour.", "Blue"], ["Say x.", "x"]]
    assert again
    assert report["revision"] == COMMIT
    assert report["format"] == "dataset on the Hub of instruction rows"
    assert read(f"hf:me/set@{COMMIT}", endpoint, tmp_path)[2] == sha256


def test_another_split_is_another_pool(hub: tuple[str, list[str]], tmp_path: Path) -> None:
    endpoint, _ = hub

    seeds, _, sha256, _ = read("hf:me/set:test", endpoint, tmp_path)

    assert seeds == [["A secret test.", "t"]]
    assert sha256 != read("hf:me/set", endpoint, tmp_path)[2]


@pytest.mark.parametrize("address", ["hf:nobody/none", "hf:me/set:dev"])
def test_what_the_hub_does_not_have_is_one_sentence(
    hub: tuple[str, list[str]], tmp_path: Path, address: str
) -> None:
    told = read(address, hub[0], tmp_path)

    assert told.startswith(f"PoolError: {address} cannot be fetched (")
    assert "; nothing was written. Look at name, revision and split" in told


def test_a_hub_that_cannot_be_reached_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    assert read("hf:me/set", "http://127.0.0.1:9", tmp_path).startswith(
        "PoolError: hf:me/set cannot be fetched ("
    )


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("hf:me/set", Address("me/set", None, None, None)),
        ("hf:me/set@v1.0:train", Address("me/set", "v1.0", None, "train")),
        ("hf:me/set:en/test", Address("me/set", None, "en", "test")),
        (f"hf:set@{COMMIT}", Address("set", COMMIT, None, None)),
    ],
)
def test_an_address_names_dataset_revision_and_split(said: str, address: Address) -> None:
    assert parse_address(said) == address


@pytest.mark.parametrize(
    "said", ["hf:", "hf:a/b/c", "hf:me/../x", "hf:me/set:", "hf:me/set@", "hf:me/set:a/b/c"]
)
def test_anything_else_is_no_dataset_of_the_hub(said: str) -> None:
    with pytest.raises(PoolError, match="is no dataset of the Hub; nothing was written"):
        parse_address(said)
