"""Runs commands of the documentation as a reader would: in bash, in a terminal of 80 columns, without colours."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|[^\n]*\r(?=[^\n])")


def run_in_terminal(
    commands: str, folder: Path, env: dict[str, str] | None = None, columns: int = 80
) -> tuple[int, str]:
    """Run ``commands`` in ``folder``; return the exit status and what a terminal showed of it.

    ``evolve`` and ``python`` are those of this environment; of the variables named ``EVOLVE_*`` and the keys only
    those in ``env`` are there. Nothing can be typed: a question is answered by the end of the input.
    """
    outer, inner = pty.openpty()
    try:
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        process = subprocess.Popen(
            ["bash", "-eu", "-c", commands],
            cwd=folder,
            env=_environment(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=inner,
            stderr=inner,
        )
    finally:
        os.close(inner)
    shown = b"".join(_until_closed(outer)).decode(errors="replace")
    os.close(outer)
    return process.wait(), CONTROL.sub("", shown.replace("\r\n", "\n"))


def _until_closed(end: int) -> list[bytes]:
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(end, 65536)
        except OSError:  # what Linux says once nobody holds the other end
            return parts
        if not part:
            return parts
        parts.append(part)


def _environment(more: dict[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("EVOLVE_") and not name.endswith(("_API_KEY", "_BASE_URL"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return {**kept, "PATH": path, "TERM": "dumb", "NO_COLOR": "1", "PAGER": "cat", **more}
