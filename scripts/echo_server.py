"""Stands before a simulated provider, and repeats in every answer the key that it was asked with."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlsplit

from scripts.secret_forms import FORMS

_WORDS = ("message", "code", "type", "param", "refusal")
_TEXTS = ("content", "text", "thinking", "reasoning_content", "reasoning")
_ENDS = ("finish_reason", "stop_reason", "model")
_FORMS = list(FORMS.values())
_EVERY = 3
"""One text in so many is answered with an echo; of ends, one in twice as many."""


class EchoServer:
    """A provider that nobody should trust.

    ``/refuse/STATUS/…`` refuses whatever is asked; all else is answered by the simulated one, and spoilt.

    ``seen`` holds what every process of the machine was called with while it answered.
    """

    def __init__(self, behind: str, seed: int) -> None:
        self.behind = urlsplit(behind).netloc
        self.rng = Random(seed)
        self.seen: set[bytes] = set()
        self.requests = 0
        self._change = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"owner": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def serving(self) -> Iterator[EchoServer]:
        """Answer while the block runs."""
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def note(self) -> None:
        """Count a request; look at all processes at some."""
        with self._change:
            self.requests += 1
            looking = self.requests % 10 == 1
            self._change.notify_all()
        if looking:
            self.seen |= {_words_of(path) for path in Path("/proc").glob("[0-9]*/cmdline")}

    def reached(self, number: int, timeout: float = 60) -> bool:
        """Wait until so many requests were answered since the server began."""
        with self._change:
            return self._change.wait_for(lambda: self.requests >= number, timeout)

    def echo(self, key: str) -> str:
        """Return the key in one of the forms."""
        return self.rng.choice(_FORMS)(key)

    def spoilt(self, content: bytes, key: str) -> bytes:
        """Return an answer, or lines of them, with echoes of a key in it."""
        lines = content.split(b"\n") if content.startswith(b"{") else [content]
        return b"\n".join(self._line(line, key) for line in lines)

    def _line(self, line: bytes, key: str) -> bytes:
        try:
            answer = json.loads(line)
        except ValueError:
            return line
        self._spoil(answer, key)
        return json.dumps(answer).encode()

    def _spoil(self, part: Any, key: str) -> None:
        if isinstance(part, list):
            for each in part:
                self._spoil(each, key)
            return
        if not isinstance(part, dict):
            return
        failed = "error" in part or ("message" in part and "choices" not in part)
        for name, value in part.items():
            if not isinstance(value, str):
                self._spoil(value, key)
            elif name in _TEXTS and self.rng.randrange(_EVERY) == 0:
                part[name] = f"{value}\nThe key {self.echo(key)} was used."
            elif name in _ENDS and self.rng.randrange(2 * _EVERY) == 0:
                part[name] = f"{value} {self.echo(key)}"
            elif failed and name in _WORDS and name != "type":
                part[name] = f"{value}: you sent {self.echo(key)}."


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: EchoServer

    def answer(self) -> None:
        """Answer a request of any method."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        key = bearer or self.headers.get("X-Api-Key", "")
        self.owner.note()
        if self.path.startswith("/refuse/"):
            self._refuse(int(self.path.split("/")[2]), key)
        else:
            self._forward(body, key)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names that http.server looks for

    def _refuse(self, status: int, key: str) -> None:
        owner = self.owner
        words = {name: f"you sent {owner.echo(key)}" for name in ("message", "code", "type", "param")}
        content = json.dumps({"type": "error", "error": words}).encode()
        where = f"http://127.0.0.1:9/{quote(owner.echo(key))}?key={quote(key)}"
        self._answer(status, content, {"Location": where, "X-Request-Id": quote(owner.echo(key))})

    def _forward(self, body: bytes, key: str) -> None:
        sent = {
            name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")
        }
        connection = http.client.HTTPConnection(self.owner.behind, timeout=60)
        try:
            connection.request(self.command, self.path, body, {**sent, "Accept-Encoding": "identity"})
            with connection.getresponse() as response:
                content = response.read()
                headers = {name: value for name, value in response.getheaders() if name.lower() in _KEPT}
                self._answer(response.status, self.owner.spoilt(content, key), headers)
        except (OSError, http.client.HTTPException):
            self.close_connection = True
        finally:
            connection.close()

    def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def handle(self) -> None:
        """Serve a connection; one that the other end breaks off is over."""
        try:
            super().handle()
        except OSError:
            self.close_connection = True


_KEPT = frozenset({"content-type", "retry-after", "date"})


def _words_of(path: Path) -> bytes:
    """Return how a process was called; nothing of one that is gone."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
