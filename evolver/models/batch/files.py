"""Files of requests and of results: on disk, a line at a time, because both reach hundreds of megabytes."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import IO, Any

from evolver.answers.bounds import MOST_BYTES, json_object, within
from evolver.answers.failures import malformed
from evolver.errors import TransientModelError

MOST_BYTES_OF_RESULTS = 8 * 1024**3
"""On disk; 100,000 answers of 80 KB each."""

MOST_LINES = 1_000_000
_IN_MEMORY = 1 << 20
_CHUNK = 1 << 16


def new_file() -> IO[bytes]:
    """Return a file that is memory up to 1 MiB and beyond lies on disk, nameless, gone with the process."""
    return tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)


async def saved(chunks: AsyncIterator[bytes], who: str) -> IO[bytes]:
    """Save a download whole before any of it is read, so that one that breaks can be begun again.

    Raises:
        TransientModelError: It is larger than the results of any batch.
    """
    file = new_file()
    try:
        async for chunk in within(chunks, MOST_BYTES_OF_RESULTS, who):
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
        TransientModelError: A line is no JSON object, or there are more or longer ones than a batch can have: the
            file did not come whole.
    """
    with file:
        file.seek(0)
        for _ in range(MOST_LINES):
            line = file.readline(MOST_BYTES + 1)
            if not line:
                return
            if len(line) > MOST_BYTES:
                raise malformed(
                    f"a line of more than {MOST_BYTES:,} bytes in the results of a batch", who=who
                )
            try:
                found = json_object(line, who) if line.strip() else None
            except TransientModelError as error:
                raise malformed("results of a batch that are no JSON lines", who=who) from error
            if found is not None:
                yield found
    raise malformed(f"more than {MOST_LINES:,} lines of results of a batch", who=who)
