"""What a server sends without end, or folded small, is malformed before it fills the memory."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from tempfile import TemporaryFile

import pytest

from evolver.answers.bounds import MOST_BYTES, json_object
from evolver.errors import TransientModelError
from evolver.models.batch import files
from evolver.models.openai import OpenAIModel
from evolver.models.protocol import Request, Sampling

ASK = Request("evolve", "Why?", Sampling(), "1.1")
Send = Callable[[asyncio.StreamWriter], Awaitable[None]]
PIECE = b" " * (1 << 20)


@asynccontextmanager
async def server(send: Send) -> AsyncIterator[str]:
    """Answer every request on a bare socket."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line
            )
            await reader.readexactly(length)
            await send(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


def failure(send: Send) -> TransientModelError:
    async def go() -> TransientModelError:
        async with server(send) as url:
            model = OpenAIModel("m", base_url=url, timeout=60)
            try:
                with pytest.raises(TransientModelError) as caught:
                    await model.complete(ASK)
            finally:
                await model.aclose()
            return caught.value

    return asyncio.run(go())


def grown(before: int) -> int:
    """Bytes that the process has grown by at its largest."""
    unit = 1 if sys.platform == "darwin" else 1024
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@pytest.mark.parametrize("status", [b"200 OK", b"500 No"])
def test_a_body_without_end_is_cut_and_memory_stays_flat(status: bytes) -> None:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 %b\r\nTransfer-Encoding: chunked\r\n\r\n" % status)
        while True:
            writer.write(chunk(PIECE))
            await writer.drain()

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    error = failure(send)
    assert error.kind == "malformed"
    assert f"{MOST_BYTES:,} bytes" in str(error)
    assert grown(before) < 5 * MOST_BYTES


def test_a_small_gzip_that_unfolds_without_measure_is_cut_and_memory_stays_flat() -> None:
    folder = zlib.compressobj(9, wbits=31)
    body = b"".join(folder.compress(PIECE) for _ in range(1_000)) + folder.flush()
    assert len(body) < 1_500_000

    async def send(writer: asyncio.StreamWriter) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
        writer.write(head + body)
        await writer.drain()

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    error = failure(send)
    assert error.kind == "malformed"
    assert grown(before) < 5 * MOST_BYTES


def test_a_header_longer_than_any_server_sends_is_malformed() -> None:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Long: %b\r\nContent-Length: 2\r\n\r\n{}" % (b"a" * 100_000))
        await writer.drain()

    assert failure(send).kind == "malformed"


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": [' + b"{}," * 2_000_000 + b"{}]}",
        b'{"a": 1' + b"0" * 9_999,
    ],
)
def test_json_too_deep_or_of_too_many_parts_is_malformed(content: bytes) -> None:
    with pytest.raises(TransientModelError) as caught:
        json_object(content, "m")
    assert caught.value.kind == "malformed"


def test_a_long_answer_full_of_commas_is_read() -> None:
    said = {"text": "one, two, [three], {four} " * 20_000}
    assert json_object(json.dumps(said).encode(), "m") == said


def test_a_line_longer_than_an_answer_can_be_is_malformed() -> None:
    file = TemporaryFile()  # noqa: SIM115  # objects() closes it
    for _ in range(33):
        file.write(PIECE)
    with pytest.raises(TransientModelError, match="a line of more than"):
        list(files.objects(file, "m"))


def test_more_lines_than_a_batch_has_requests_are_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_LINES", 10)
    file = TemporaryFile()  # noqa: SIM115  # as above
    file.write(b"{}\n" * 11)
    with pytest.raises(TransientModelError, match="more than 10 lines"):
        list(files.objects(file, "m"))


def test_results_larger_than_a_disk_should_take_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_BYTES_OF_RESULTS", 3 * len(PIECE))

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield PIECE

    with pytest.raises(TransientModelError, match="more than 3,145,728 bytes"):
        asyncio.run(files.saved(endless(), "m"))
