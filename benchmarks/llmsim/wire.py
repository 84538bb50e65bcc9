"""As much HTTP/1.1 as the SDKs of the providers speak, over one asyncio protocol.

A web framework costs 0.16 ms of CPU a request here and this costs half of it, which matters because the
server shares the machine with the client it measures. Requests are answered by callback, without a task each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl

MAX_BODY = 600 * 1024 * 1024
"""Bytes; above every limit that the simulated APIs state themselves."""

_REASONS = {int(status): status.phrase.encode() for status in HTTPStatus} | {529: b"Site is overloaded"}


class BadRequestError(Exception):
    """The bytes on the connection are not HTTP that this server reads."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``head`` is its request line and headers, ``query`` the raw text after ``?``."""

    method: str
    path: str
    query: str
    head: bytes
    body: bytes

    def header(self, name: bytes) -> str:
        """Return a header by its name in lower case, empty where there is none."""
        return _header(self.head, self.head.lower(), name)

    def parameters(self) -> dict[str, str]:
        """Return the query as a dictionary; a name given twice keeps its last value."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


class Exchange:
    """One request and the way back to whoever sent it.

    ``on_gone`` is called when the client closes the connection before the answer.
    """

    __slots__ = ("_connection", "gone", "on_gone", "request", "started")

    def __init__(self, request: Request, connection: Connection, started: float) -> None:
        self.request = request
        self.started = started
        self.gone = False
        self.on_gone: Callable[[], None] | None = None
        self._connection = connection

    def reply(
        self, status: int, body: bytes, headers: bytes = b"", content_type: bytes = b"application/json"
    ) -> None:
        """Send the answer; ``headers`` are whole lines, each ended by CRLF. A client that is gone gets none."""
        if not self.gone:
            self._connection.answer(_head(status, len(body), headers, content_type) + body)

    def reply_half(self, status: int, body: bytes, headers: bytes = b"") -> None:
        """Promise the whole body, send half of it and close the connection."""
        if not self.gone:
            head = _head(status, max(2, len(body)), headers, b"application/json")
            self._connection.answer(head + body[: len(body) // 2], close=True)

    def close(self) -> None:
        """Close the connection without a word."""
        if not self.gone:
            self._connection.answer(b"", close=True)


def _header(head: bytes, lowered: bytes, name: bytes) -> str:
    """Find one header; SDKs send twenty and three of them are read, so they are not all taken apart."""
    start = lowered.find(b"\r\n" + name + b":")
    if start < 0:
        return ""
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else len(head)].decode("latin-1").strip()


def _head(status: int, length: int, headers: bytes, content_type: bytes) -> bytes:
    return b"HTTP/1.1 %d %b\r\ncontent-length: %d\r\ncontent-type: %b\r\n%b\r\n" % (
        status,
        _REASONS.get(status, b"Unknown"),
        length,
        content_type,
        headers,
    )


Handler = Callable[[Exchange], None]


class Connection(asyncio.Protocol):
    """One client's connection: reads a request, waits for its answer, reads the next."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._head: tuple[str, str, str, bytes] | None = None
        self._chunks: _Chunks | None = None
        self._length = 0
        self._current: Exchange | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the handler of an unanswered request that nobody waits any more."""
        self._transport = None
        exchange, self._current = self._current, None
        if exchange is not None:
            exchange.gone = True
            if exchange.on_gone is not None:
                exchange.on_gone()

    def data_received(self, data: bytes) -> None:
        """Read on; a request is handled once it is whole and the one before it is answered."""
        self._buffer += data
        if self._current is None:
            self._advance()

    def answer(self, data: bytes, *, close: bool = False) -> None:
        """Write the answer of the current request and go on to the next, or close."""
        exchange, self._current = self._current, None
        if self._transport is None:
            return
        self._transport.write(data)
        if close or (exchange is not None and exchange.request.header(b"connection").lower() == "close"):
            self._transport.close()
        elif self._buffer:
            self._loop.call_soon(self._advance)

    def _advance(self) -> None:
        if self._transport is None or self._transport.is_closing() or self._current is not None:
            return
        try:
            request = self._next_request()
        except BadRequestError as error:
            body = str(error).encode()
            self._transport.write(_head(400, len(body), b"", b"text/plain") + body)
            self._transport.close()
            return
        if request is not None:
            self._current = Exchange(request, self, self._loop.time())
            self._handler(self._current)

    def _next_request(self) -> Request | None:
        if self._head is None and not self._read_head():
            return None
        if self._chunks is not None:
            body = self._chunks.read(self._buffer)
            if body is None:
                return None
        elif len(self._buffer) < self._length:
            return None
        else:
            body = bytes(self._buffer[: self._length])
            del self._buffer[: self._length]
        assert self._head is not None
        request = Request(*self._head, body)
        self._head = self._chunks = None
        return request

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > 65536:
                raise BadRequestError("the head of the request is longer than 65,536 bytes")
            return False
        head = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        lowered, first = head.lower(), head.partition(b"\r\n")[0].decode("latin-1")
        try:
            method, target, _ = first.split(" ")
            self._length = int(_header(head, lowered, b"content-length") or 0)
        except ValueError as error:
            raise BadRequestError(f"not a request: {first[:80]!r}") from error
        if self._length > MAX_BODY:
            raise BadRequestError(f"the body is longer than {MAX_BODY:,} bytes")
        if "chunked" in _header(head, lowered, b"transfer-encoding").lower():
            self._chunks = _Chunks()
        path, _, query = target.partition("?")
        self._head = (method, path, query, head)
        return True


class _Chunks:
    """A chunked body under way."""

    def __init__(self) -> None:
        self._body = bytearray()

    def read(self, buffer: bytearray) -> bytes | None:
        """Take whole chunks off the front of ``buffer``; the body once its last chunk is there."""
        position = 0
        while True:
            line_end = buffer.find(b"\r\n", position)
            if line_end < 0:
                break
            try:
                size = int(buffer[position:line_end].split(b";")[0], 16)
            except ValueError as error:
                raise BadRequestError("a chunk of the body has no size") from error
            start, end = line_end + 2, line_end + 2 + size
            if len(buffer) < end + 2:
                break
            if len(self._body) + size > MAX_BODY:
                raise BadRequestError(f"the body is longer than {MAX_BODY:,} bytes")
            self._body += buffer[start:end]
            position = end + 2
            if size == 0:
                del buffer[:position]
                return bytes(self._body)
        del buffer[:position]
        return None
