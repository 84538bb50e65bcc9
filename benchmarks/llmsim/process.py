"""The simulated provider as a process of its own, for tests and measures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"


class SimServer:
    """A running server; use it as a context manager.

    Args:
        settings: Settings of :class:`benchmarks.llmsim.config.Config` by name, such as ``rate_429=0.05``.

    The server ends with :meth:`stop`, and by itself when this process dies, however it dies.
    """

    def __init__(self, **settings: object) -> None:
        command = [sys.executable, "-m", "benchmarks.llmsim", "--host", HOST, "--until-stdin-ends"]
        self._process = subprocess.Popen(
            [*command, *_flags(settings)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said.startswith("listening on "):
            self.stop()
            raise RuntimeError("the simulated provider did not start; its reason is on standard error")
        self.port = int(said.split()[-1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Return the server's address."""
        return f"http://{HOST}:{self.port}"

    @property
    def openai_base_url(self) -> str:
        """Return the ``base_url`` for an OpenAI client."""
        return f"{self.url}/v1"

    @property
    def anthropic_base_url(self) -> str:
        """Return the ``base_url`` for an Anthropic client, whose paths begin with ``/v1``."""
        return self.url

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    def stats(self) -> dict[str, Any]:
        """Return every counter."""
        return self._json("GET", "/stats")

    def log(self) -> list[str]:
        """Return the digests of all contents that were answered."""
        return self._send("GET", "/log").decode().split()

    def configure(self, **settings: object) -> dict[str, Any]:
        """Change settings while the server runs; return all of them.

        Raises:
            ValueError: A setting does not exist or has a wrong value; nothing was changed.
        """
        return self._json("POST", "/control", json.dumps(settings).encode())

    def reset(self) -> None:
        """Set all counters back."""
        self._send("POST", "/reset", b"")

    def wait(self, timeout: float = 30, **figures: int) -> dict[str, int]:
        """Wait until each figure has at least the value named, such as ``held=64``; return them.

        Figures: requests, completed, held, in_flight, clients_gone.

        Raises:
            TimeoutError: It did not come to that within ``timeout`` seconds.
        """
        return self._json("GET", f"/wait?{urlencode(figures)}", timeout=timeout)

    def stop(self) -> None:
        """End the server; safe to repeat."""
        process = self._process
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _json(self, method: str, path: str, body: bytes | None = None, timeout: float = 30) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._send(method, path, body, timeout))
        return document

    def _send(self, method: str, path: str, body: bytes | None = None, timeout: float = 30) -> bytes:
        request = Request(self.url + path, body, {"connection": "close"}, method=method)
        try:
            with urlopen(request, timeout=timeout) as response:
                content: bytes = response.read()
                return content
        except HTTPError as error:
            with error:
                raise ValueError(json.loads(error.read())["error"]) from error


def _flags(settings: dict[str, object]) -> list[str]:
    flags = []
    for name, value in settings.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            flags.append(flag)
        elif value is not False:
            flags.append(f"{flag}={value}")
    return flags
