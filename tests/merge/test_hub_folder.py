"""The folder of a Hugging Face dataset: what is in it, what it may replace, and that it reaches the hub."""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml  # type: ignore[import-untyped]
from sqlalchemy import update

from evolver.errors import OutputError, SettingsError
from evolver.merge import folder as folder_module
from evolver.merge import markdown
from evolver.merge.dataset import merge
from evolver.merge.job import Cleaning, MergeSettings, OssSource, RunSource
from evolver.merge.push import check_push, push
from evolver.text import one_line
from evolver_store.schema import runs

Plant = Callable[..., RunSource]


@pytest.fixture
def source(plant: Plant, tmp_path: Path) -> RunSource:
    (tmp_path / "store").mkdir()
    rows = [(place, epoch, f"{place}.{epoch}", "x") for place in range(3) for epoch in range(3)]
    return plant(tmp_path / "store" / "s.db", [*rows, (3, 0, "unanswered", None)])


def files(path: Path) -> list[str]:
    return sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())


def card(path: Path) -> tuple[dict[str, Any], str]:
    _, front, body = (path / "README.md").read_text("utf-8").split("---\n", 2)
    return yaml.safe_load(front), body


def test_a_name_without_an_ending_is_a_folder_of_shards_and_a_card(source: RunSource, tmp_path: Path) -> None:
    report = merge([source], tmp_path / "set", MergeSettings(order="sequential"))

    assert files(tmp_path / "set") == ["README.md", "data/train-00000-of-00001.parquet"]
    rows = pq.read_table(tmp_path / "set" / "data" / "train-00000-of-00001.parquet").to_pylist()
    assert [row["instruction"] for row in rows][:4] == ["0.0", "0.1", "0.2", "1.0"]
    assert report.rows == len(rows) == 9
    assert report.size == sum(path.stat().st_size for path in (tmp_path / "set").rglob("*.*"))


def test_shards_hold_the_rows_one_after_the_other(
    plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "SHARD_ROWS", 2_000)
    source = plant(tmp_path / "s.db", [(place, 0, str(place), "x") for place in range(4_001)])

    merge([source], tmp_path / "set", MergeSettings(order="sequential"))

    shards = sorted((tmp_path / "set" / "data").iterdir())
    assert [shard.name for shard in shards] == [f"train-0000{number}-of-00003.parquet" for number in range(3)]
    assert [pq.read_metadata(shard).num_rows for shard in shards] == [2_000, 2_000, 1]
    assert pq.read_table(shards[2]).to_pylist()[0]["instruction"] == "4000"


def test_the_front_matter_tells_the_hub_where_the_data_is(source: RunSource, tmp_path: Path) -> None:
    merge([source], tmp_path / "set", MergeSettings())

    front, _ = card(tmp_path / "set")
    assert front["configs"] == [
        {"config_name": "default", "data_files": [{"split": "train", "path": "data/train-*.parquet"}]}
    ]
    assert (front["license"], front["size_categories"]) == ("other", ["n<1K"])
    assert front["task_categories"] == ["text-generation"]


def test_the_card_tells_counts_settings_models_and_figures(source: RunSource, tmp_path: Path) -> None:
    (tmp_path / "bench.txt").write_text('{"prompt": "2.1"}\n')
    (tmp_path / "oss.jsonl").write_text('{"problem": "p", "solution": "s"}\n')
    settings = MergeSettings(seed=7, epochs=(0, 2), limit=6, format="messages")

    merge(
        [OssSource(tmp_path / "oss.jsonl"), source],
        tmp_path / "set",
        settings,
        cleaning=Cleaning("near", 0.8, (tmp_path / "bench.txt",)),
    )

    _, body = card(tmp_path / "set")
    for line in (
        "# set",
        "| in the dataset | 6 |",
        "| left out, without a response | 1 |",
        "| dropped, contaminated | 1 |",
        "| left out by the limit or the ratio | 3 |",
        "| format | messages |",
        "| seed | 7 |",
        "| epochs | 0-2 |",
        "| near-duplicate threshold | 0.8 |",
        "| checked against | bench.txt |",
        "| run1 | pool.json | script | 10 | 4 | 0 | finished |",
        "| run1 | 1 | 3 | 3 | 0 | 0 |",
        "`pool.json`, `oss.jsonl` and from `script`",
    ):
        assert line in body
    assert "Not for training" not in body
    assert str(tmp_path) not in body


HOSTILE = (
    "<script>alert(1)</script>",
    "[here](https://example.org)",
    "![x](//example.org/x.png)",
    "https://example.org",
    "a | b",
    "`code`",
    "**loud** __louder__ ~~gone~~",
    "@somebody",
    "www.example.org",
    "&lt;b&gt;",
    "$x$",
    "\x1b[31mred",
    "a\\`b",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_names_of_a_store_are_no_markup_in_the_card(text: str, plant: Plant, tmp_path: Path) -> None:
    source = plant(tmp_path / "s.db", [(0, 0, "a", "x")])
    with source.engine.begin() as conn:
        conn.execute(update(runs).values(name=text, pool=text, model=text))

    merge([source], tmp_path / "set", MergeSettings())

    front, body = card(tmp_path / "set")
    assert "\x1b" not in body
    assert front["pretty_name"] == "set"
    (table,) = [part for part in body.split("\n\n") if part.startswith("| run | pool |")]
    (row,) = table.splitlines()[2:]
    assert text not in row
    # What a reader of Markdown sees of the cell, once escapes and entities are read.
    shown = [
        html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", cell)) for cell in re.split(r"(?<!\\) \| ", row)
    ]
    assert shown[2] == one_line(text)


@pytest.mark.parametrize("name", ["alpaca_2000-1f0c9a3d", "hf:wizard/pool@abc:train", "openai/gpt-4.1-mini"])
def test_usual_names_stay_legible_in_the_card(name: str) -> None:
    assert markdown.inline(name) == name.replace("@", "&#64;")
    assert markdown.code(name) == (markdown.inline(name) if "@" in name else f"`{name}`")


def test_a_run_without_a_pool_has_a_card(plant: Plant, tmp_path: Path) -> None:
    source = plant(tmp_path / "s.db", [(0, 0, "a", "x")])
    with source.engine.begin() as conn:
        conn.execute(update(runs).values(pool=None, pool_sha256=None))

    merge([source], tmp_path / "set", MergeSettings())

    _, body = card(tmp_path / "set")
    assert "| run1 |  | script | 1 | 4 | 0 | finished |" in body
    assert "The rows come from `script`. Their" in body


def test_an_older_dataset_is_replaced_whole(source: RunSource, tmp_path: Path) -> None:
    merge([source], tmp_path / "set", MergeSettings())
    (tmp_path / "set" / "data" / "train-00001-of-00002.parquet").touch()

    merge([source], tmp_path / "set", MergeSettings(limit=1))

    assert files(tmp_path / "set") == ["README.md", "data/train-00000-of-00001.parquet"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "store"]


def test_a_folder_with_anything_else_in_it_is_never_replaced(source: RunSource, tmp_path: Path) -> None:
    (tmp_path / "set" / "data").mkdir(parents=True)
    (tmp_path / "set" / "data" / "notes.txt").write_text("mine")

    with pytest.raises(OutputError, match=r"holds data/notes\.txt, which no merge wrote"):
        merge([source], tmp_path / "set", MergeSettings())

    assert files(tmp_path / "set") == ["data/notes.txt"]


def test_an_interrupt_leaves_the_older_folder(source: RunSource, tmp_path: Path) -> None:
    merge([source], tmp_path / "set", MergeSettings())
    before = (tmp_path / "set" / "README.md").read_bytes()

    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge([source], tmp_path / "set", MergeSettings(limit=1), on_progress=interrupt)

    assert (tmp_path / "set" / "README.md").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "store"]


class Hub(BaseHTTPRequestHandler):
    """The hub's HTTP API as far as an upload goes; it takes every file inside the commit."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, str, str | None, Any]]
    refuse = False

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(self._body())

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, body: bytes | None) -> None:
        base = f"http://{self.headers['host']}/datasets/me/set"
        self.asked.append((self.command, self.path, self.headers.get("authorization"), body))
        if self.refuse:
            self._send(403, {"error": "You may not write here"})
        elif self.path.endswith("/preupload/main"):
            names = [file["path"] for file in json.loads(body or b"")["files"]]
            taken = [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]
            self._send(200, {"files": taken})
        elif "/tree/" in self.path:
            old = ("data/train-00000-of-00001.parquet", "data/train-00001-of-00002.parquet", "notes.md")
            self._send(200, [{"type": "file", "path": name, "oid": "1", "size": 1} for name in old])
        elif self.path.endswith("/commit/main"):
            self._send(200, {"commitUrl": f"{base}/commit/1", "commitOid": "1"})
        else:
            self._send(200, {"url": base, "id": "me/set", "sha": "1"})

    def _send(self, status: int, answer: object) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[Hub]]:
    """A stand-in of the hub on a real socket, named by HF_ENDPOINT."""
    pytest.importorskip("huggingface_hub")
    handler = type("OneHub", (Hub,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_TOKEN", "hf_of_mine")
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_folder_is_pushed_in_one_commit_that_takes_older_shards_away(
    hub: type[Hub], source: RunSource, tmp_path: Path
) -> None:
    merge([source], tmp_path / "set", MergeSettings())

    address = push(tmp_path / "set", "me/set")

    assert address.endswith("/datasets/me/set")
    [created] = [json.loads(body) for _, path, _, body in hub.asked if path == "/api/repos/create"]
    assert (created["name"], created["organization"], created["type"]) == ("set", "me", "dataset")
    assert created["visibility"] == "private"
    [lines] = [body.splitlines() for _, path, _, body in hub.asked if path.endswith("/commit/main")]
    steps = [json.loads(line) for line in lines]
    sent = {step["value"]["path"]: step["value"]["content"] for step in steps if step["key"] == "file"}
    assert {name: base64.b64decode(content) for name, content in sent.items()} == {
        name: (tmp_path / "set" / name).read_bytes() for name in files(tmp_path / "set")
    }
    gone = [step["value"]["path"] for step in steps if step["key"] == "deletedFile"]
    assert gone == ["data/train-00001-of-00002.parquet"]
    assert {token for _, path, token, _ in hub.asked if "/me/set" in path} == {"Bearer hf_of_mine"}


def test_a_push_that_is_refused_is_one_sentence_and_the_folder_stays(
    hub: type[Hub], source: RunSource, tmp_path: Path
) -> None:
    merge([source], tmp_path / "set", MergeSettings())
    hub.refuse = True

    with pytest.raises(
        OutputError, match=r"me/set was not pushed \(.*403.*; the dataset is in .*set"
    ) as error:
        push(tmp_path / "set", "me/set")

    assert "hf_of_mine" not in str(error.value)
    assert (tmp_path / "set" / "README.md").exists()


def test_a_hub_that_cannot_be_reached_is_one_sentence(
    source: RunSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("huggingface_hub")
    merge([source], tmp_path / "set", MergeSettings())
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", "hf_of_mine")

    with pytest.raises(OutputError, match=r"was not pushed \(.*refused.*\)"):
        push(tmp_path / "set", "me/set")


@pytest.mark.parametrize(
    ("repo", "output", "token", "what"),
    [
        ("me/set", "set.jsonl", "t", "without an ending"),
        ("set", "set", "t", "OWNER/NAME"),
        ("a/b/c", "set", "t", "OWNER/NAME"),
        ("me/set", "set", " ", "HF_TOKEN"),
    ],
)
def test_a_push_that_cannot_succeed_is_refused_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch, repo: str, output: str, token: str, what: str
) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)

    with pytest.raises(SettingsError, match=what):
        check_push(repo, Path(output))
