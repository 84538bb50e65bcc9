"""``-v`` and ``--log``: where the log of what is asked goes."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

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


def _file(name: str) -> logging.Handler:
    try:
        # it may hold texts of the pool, so it is its owner's alone
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        return logging.FileHandler(name, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputError(
            f"the log {name} cannot be written ({error.strerror}); nothing was started. Name another with --log."
        ) from error
