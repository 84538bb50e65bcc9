"""The package on the page "A provider of your own", built, installed and asked, exactly as it stands there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "own-provider.md").read_text(encoding="utf-8")
FILE = re.compile(r"<!-- file: (?P<path>\S+) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)


class Acme(BaseHTTPRequestHandler):
    """Acme's server."""

    asked: list[str]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(str(self.headers["Authorization"]))
        text = "Not Equal" if "Not Equal" in body["prompt"] else "Name four uses of a brick, and why."
        answer = {"text": text, "cut": False, "read": 100, "written": 50}
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def acme() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    handler = type("Asked", (Acme,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project, target = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("site")
    for file in FILE.finditer(PAGE):
        path = project / file["path"]
        path.parent.mkdir(exist_ok=True)
        path.write_text(file["text"], encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation"]
    done = subprocess.run([*pip, "--target", target, project], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def evolve(site: Path, folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    pool = [{"instruction": "Name three uses of a brick.", "output": "A wall, a doorstop, a step."}]
    (folder / "pool.json").write_text(json.dumps(pool), encoding="utf-8")
    command = [sys.executable, "-c", "from evolver.cli.main import run; run()", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(site), **variables}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False
    )


def test_the_package_of_the_page_is_asked_by_its_prefix_and_priced_by_its_record(
    site: Path, acme: tuple[str, list[str]], tmp_path: Path
) -> None:
    url, asked = acme
    arguments = ("--pool", "pool.json", "--epochs", "1", "--model", "acme:small", "--yes", "--json")

    done = evolve(site, tmp_path, *arguments, ACME_API_KEY="k-1234567890", ACME_BASE_URL=url)

    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["calls"] == len(asked) > 0
    assert set(asked) == {"Bearer k-1234567890"}
    assert figures["cost_usd"] == pytest.approx(len(asked) * (100 * 0.1 + 50 * 0.4) / 1_000_000)


def test_the_package_of_the_page_is_named_where_providers_are_listed(site: Path, tmp_path: Path) -> None:
    done = evolve(site, tmp_path, "--pool", "pool.json", "--model", "acmee:small", "--yes")

    assert done.returncode == 2
    assert "Did you mean 'acme:small'?" in done.stderr
    assert "acme:NAME" in done.stderr
