"""Compressed pools, unpacked as they are read: gzip, zstd, xz and bz2, told by their first bytes."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Protocol

from evolver.pool.record import MalformedError, TruncatedError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MEMORY = 1 << 27
"""Most bytes (128 MiB) that a decompressor may take for itself; what ``zstd --ultra -22`` and ``xz -9`` ask for."""

FREE_BYTES = 1 << 26
MOST_FOLD = 200
"""A pool of text shrinks to a tenth or a thirtieth; beyond 64 MiB, more than 200 bytes out of one are a bomb."""

_READ_BYTES = 1 << 16
_GIVEN_BYTES = 1 << 18
_ZSTD = b"\x28\xb5\x2f\xfd"
MAGIC = {b"\x1f\x8b": "gzip", _ZSTD: "zstd", b"\xfd7zXZ\x00": "xz", b"BZh": "bz2"}


class _Decompressor(Protocol):
    """What the standard library's decompressors have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def packed_as(head: bytes) -> str:
    """Name the compression that ``head`` begins; empty for none."""
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), "")


class Unpacked(io.RawIOBase):
    """The unpacked bytes of a stream, forward only, in bounded memory.

    Raises:
        TruncatedError: While reading: the packed data stop early.
        MalformedError: While reading: they are damaged, want too much memory, or unfold without measure.
    """

    def __init__(self, packed: BinaryIO, kind: str) -> None:
        self._kind = kind
        self._packed = packed
        self._chunks = _unpack(packed, kind)
        self._left = memoryview(b"")
        self._given = 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer as far as the next chunk goes."""
        target = memoryview(buffer).cast("B")
        while not self._left:
            chunk = self._next()
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        count = min(len(target), len(self._left))
        target[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def _next(self) -> bytes | None:
        try:
            chunk = next(self._chunks, None)
        except EOFError as error:
            raise TruncatedError(f"inside its {self._kind} data") from error
        except MemoryError as error:
            raise MalformedError(
                f"wants more than {MEMORY >> 20} MiB of memory to unpack its {self._kind} data"
            ) from error
        except (OSError, zlib.error, lzma.LZMAError, ValueError) as error:
            raise MalformedError(f"holds damaged {self._kind} data") from error
        self._given += len(chunk or b"")
        taken = self._packed.tell()
        if self._given > FREE_BYTES and self._given > MOST_FOLD * taken:
            raise MalformedError(
                f"unfolds from {taken:,} bytes of {self._kind} to more than {self._given >> 20:,} MiB, as no text does"
            )
        return chunk


def _unpack(packed: BinaryIO, kind: str) -> Iterator[bytes]:
    """Yield unpacked chunks, stream after stream; zeros may stand between them, as on tapes."""
    magic = next(magic for magic, name in MAGIC.items() if name == kind)
    data = packed.read(_READ_BYTES)
    while data:
        decompressor = _decompressor(kind)
        while not decompressor.eof:
            if decompressor.needs_input and not data:
                data = packed.read(_READ_BYTES)
                if not data:
                    raise EOFError
            chunk, data = decompressor.decompress(data, _GIVEN_BYTES), b""
            if chunk:
                yield chunk
        data = decompressor.unused_data.lstrip(b"\0")
        while len(data) < len(magic) and (more := packed.read(_READ_BYTES)):
            data = (data + more).lstrip(b"\0")
        if data and not data.startswith(magic):
            raise ValueError("other data follow")


def _decompressor(kind: str) -> _Decompressor:
    if kind == "zstd":
        return _Zstd()
    if kind == "xz":
        return lzma.LZMADecompressor(memlimit=MEMORY)
    return bz2.BZ2Decompressor() if kind == "bz2" else _Gzip()


class _Gzip:
    """zlib's decompressor for one member of a gzip file, with the interface of the others."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


class _Zstd:
    """One frame of zstd; it is fed in slices, for it has no bound on what it gives for a call."""

    _SLICE = 256

    def __init__(self) -> None:
        import zstandard  # few pools are packed with it

        self._error = zstandard.ZstdError
        self._frame = zstandard.ZstdDecompressor(max_window_size=MEMORY).decompressobj()
        self._data = b""
        self._place = 0

    @property
    def eof(self) -> bool:
        return self._frame.eof

    @property
    def needs_input(self) -> bool:
        return self._place >= len(self._data)

    @property
    def unused_data(self) -> bytes:
        return self._frame.unused_data + self._data[self._place :]

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        if data:
            self._data, self._place = data, 0
        piece = self._data[self._place : self._place + self._SLICE]
        self._place += len(piece)
        try:
            return self._frame.decompress(piece)
        except self._error as error:
            if "memory" in str(error):
                raise MemoryError from error
            raise ValueError(str(error)) from error
