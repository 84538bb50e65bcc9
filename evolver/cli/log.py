"""``-v`` and ``--log``: where the log of what is asked goes."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from evolver.cli.output import tell
from evolver.errors import OutputError

_FORM = "%(asctime)s %(message)s"


class _Stderr(logging.Handler):
    """Writes to what is stderr at the moment, so that a progress display on it can make room."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        tell(self.format(record))


@contextmanager
def open_log(verbose: int, file: str | None) -> Iterator[None]:
    """Let the log of calls go to stderr (``-v``) and to a file, which is added to; ``-vv`` logs texts as well.

    Raises:
        OutputError: The file cannot be written.
    """
    logger = logging.getLogger("evolver")
    handlers: list[logging.Handler] = [_Stderr()] if verbose else []
    if file is not None:
        handlers.append(_file(file))
    for handler in handlers:
        handler.setFormatter(logging.Formatter(_FORM))
        logger.addHandler(handler)
    if handlers:
        logger.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
        logger.setLevel(logging.NOTSET)


class _File(logging.StreamHandler[TextIO]):
    """Writes to a file that is open, and closes it."""

    def close(self) -> None:
        """Close the file."""
        self.stream.close()
        super().close()


def _file(name: str) -> logging.Handler:
    """Open a log to be added to: its owner's alone, as it may hold texts of the pool; a pipe is not waited for."""
    from evolver_store.strangers import strangers_trap  # only who asks for a log pays for it

    if (trap := strangers_trap(Path(name))) is not None:
        raise OutputError(f"the log {name} {trap}; nothing was started. Name another with --log.")
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(name, flags, 0o600)
        return _File(open(handle, "a", encoding="utf-8", errors="backslashreplace"))
    except OSError as error:
        raise OutputError(
            f"the log {name} cannot be written ({error.strerror}); nothing was started. Name another with --log."
        ) from error
