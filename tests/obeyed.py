"""What a terminal obeys, and commands that are run on one to see whether any of it gets there."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

EVIL = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\u009b5n\x7f\u202egnp.exe\u2066 \x1b[8mhidden"
"""A clipboard, an empty screen, an answer to type, a name that reads backwards, invisible text."""

_OWN = re.compile(rb"\x1b\[(?:[0-9;]*m|\?25[lh]|2K|1A)")
"""What the program itself sends: colours, a cursor that hides while something moves, a line that is drawn anew."""

_OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\x1b|☺|😀")


def obeyed_in(got: bytes) -> list[str]:
    """Return what a terminal would obey in some bytes, but for the program's own styling."""
    hidden = ["hidden text"] if b"\x1b[8m" in got else []
    return hidden + _OBEYED.findall(_OWN.sub(b"", got).decode("utf-8", "replace"))


def on_terminal(*words: str, folder: Path | None = None, env: Mapping[str, str] | None = None) -> bytes:
    """Run ``evolve`` with a terminal of 100 x 24 for its every stream, and return what that got."""
    ours, theirs = pty.openpty()
    got: list[bytes] = []

    def read() -> None:
        while True:
            try:
                some = os.read(ours, 65_536)
            except OSError:  # how Linux says that the other end is closed
                return
            if not some:
                return
            got.append(some)

    reader = threading.Thread(target=read)
    reader.start()
    command = [sys.executable, "-c", "from evolver.cli.main import run; run()", *words]
    given = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "24", "PAGER": "cat", **(env or {})}
    os.write(ours, b"n\n")  # should it ask something
    subprocess.run(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=given, cwd=folder, check=False, timeout=60
    )
    os.close(theirs)
    reader.join()
    os.close(ours)
    return b"".join(got)
