"""Files of requests and of results: on disk, a line at a time, because both reach hundreds of megabytes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import IO, Any

from evolver.errors import TransientModelError
from evolver.models.failures import malformed

_IN_MEMORY = 1 << 20
_CHUNK = 1 << 16

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def new_file() -> IO[bytes]:
    """Return a file that is memory up to 1 MiB and beyond lies on disk, nameless, gone with the process."""
    return tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)


async def saved(chunks: AsyncIterator[bytes]) -> IO[bytes]:
    """Save a download whole before any of it is read, so that one that breaks can be begun again."""
    file = new_file()
    try:
        async for chunk in chunks:
            file.write(chunk)
    except BaseException:
        file.close()
        raise
    return file


async def chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    """Yield a file from its beginning, for an upload."""
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk


def objects(file: IO[bytes], who: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a file, one from each line, and close it.

    Raises:
        TransientModelError: A line is no JSON object: the file did not come whole.
    """
    with file:
        file.seek(0)
        for line in file:
            if line.strip():
                yield _object(line, who)


def _object(line: bytes, who: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise _broken(who) from error
    if not isinstance(entry, dict):
        raise _broken(who)
    return entry


def _broken(who: str) -> TransientModelError:
    return malformed("results of a batch that are no JSON lines", who=who)
