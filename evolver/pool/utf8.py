"""Any text as UTF-8 with line feeds: UTF-16 and UTF-32 by their marks, Western 8-bit text by a stated guess."""

from __future__ import annotations

import codecs
import io
import re
from typing import TYPE_CHECKING, Protocol

from evolver.pool.record import EncodingError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK_BYTES = 1 << 18
_SAMPLE_BYTES = 1 << 13

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What charset-normalizer may choose from. Left alone, it finds cp775 in German and cp1258 in Italian of two lines.
_CANDIDATES = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "koi8_r"),
    *("shift_jis", "gb18030", "big5", "euc_kr", "euc_jp"),
]
_WESTERN = "cp1252"
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


class Source(Protocol):
    """Whatever gives bytes."""

    def read(self, size: int, /) -> bytes | None:
        """Return at most ``size`` bytes, none at the end."""


class Utf8(io.RawIOBase):
    """The bytes of a text as UTF-8 without a mark; classic Mac line ends become line feeds.

    Text that is not UTF-8 is read as Windows-1252 (of which Latin-1 text is a part) where charset-normalizer finds that
    likely and nothing before it was anything but ASCII, so that no row is read in two ways. ``encoding`` says what was
    read; it may change with the first character that is not ASCII.

    Raises:
        EncodingError: While reading, once everything before the fault has been given.
    """

    def __init__(self, stream: Source) -> None:
        self._stream = stream
        head = stream.read(CHUNK_BYTES) or b""
        mark, self.encoding = _encoding_of(head)
        self._waiting = head[len(mark) :]
        self._decoder = codecs.getincrementaldecoder(self.encoding)()
        self._ascii = True
        self._ended = False
        self._error: EncodingError | None = None
        self._left = memoryview(b"")
        self._mac: bool | None = None

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer as far as the next chunk goes."""
        target = memoryview(buffer).cast("B")
        while not self._left:
            if self._error is not None:
                raise self._error
            if self._ended:
                return 0
            self._left = memoryview(self._lines(self._next()))
        count = min(len(target), len(self._left))
        target[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def peek(self, size: int) -> bytes:
        """Return the first bytes, at most ``size`` of them, and leave them to be read.

        An error behind the first of them is raised when those before it have been read.
        """
        head = b""
        while len(head) < size and self._error is None and not self._ended:
            head += self._lines(self._next())
        if not head and self._error is not None:
            raise self._error
        self._left = memoryview(head)
        return head[:size]

    def _next(self) -> bytes:
        raw, self._waiting = self._waiting or self._stream.read(CHUNK_BYTES) or b"", b""
        self._ended = not raw
        if self._ascii and self.encoding == "utf-8" and raw.isascii() and raw:
            return raw
        try:
            text = self._decoder.decode(raw, final=self._ended)
        except UnicodeDecodeError as error:
            return self._mend(error)
        self._ascii = self._ascii and text.isascii()
        return text.encode("utf-8", "surrogatepass")

    def _mend(self, error: UnicodeDecodeError) -> bytes:
        """Give what stands before the fault; after it, go on in the encoding that is found, or not at all."""
        whole: bytes = error.object
        good, rest = whole[: error.start], whole[error.start :]
        ascii_so_far = self._ascii and good.isascii()
        cut = self._ended and error.reason == "unexpected end of data"
        if self.encoding == "utf-8" and ascii_so_far and not cut:
            if len(rest) < _SAMPLE_BYTES:
                rest += self._stream.read(CHUNK_BYTES) or b""
            found = guess(good[-_SAMPLE_BYTES:] + rest[:_SAMPLE_BYTES])
            if found == _WESTERN:
                self.encoding, self._ascii, self._ended = _WESTERN, False, False
                self._decoder = codecs.getincrementaldecoder(_WESTERN)()
                self._waiting = rest
                return good
            self._error = EncodingError(self.encoding, found)
        else:
            self._error = EncodingError(self.encoding, "")
        return good if self.encoding == "utf-8" else good.decode(self.encoding).encode()

    def _lines(self, data: bytes) -> bytes:
        """Make line feeds of the line ends of classic Mac text, which has no line feed at all in its beginning."""
        if self._mac is None and data:
            self._mac = b"\r" in data and b"\n" not in data
        return data.replace(b"\r", b"\n") if self._mac else data


def _encoding_of(head: bytes) -> tuple[bytes, str]:
    """Return the mark and the encoding; UTF-16 without a mark shows in the zeros of its ASCII characters."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return mark, encoding
    sample = head[:200]
    odd, even = sample[1::2], sample[::2]
    if len(sample) >= 8 and odd.count(0) > 0.9 * len(odd) and 0 not in even:
        return b"", "utf-16-le"
    if len(sample) >= 8 and even.count(0) > 0.9 * len(even) and 0 not in odd:
        return b"", "utf-16-be"
    return b"", "utf-8"


def guess(sample: bytes) -> str:
    """Name the encoding of text that is not UTF-8; empty where nothing is likely or the text is damaged UTF-8."""
    from charset_normalizer import from_bytes  # few pools need it

    high = sum(byte > 127 for byte in sample)
    if 2 * sum(len(found) for found in _MULTIBYTE.findall(sample)) > high:
        return ""
    sample = sample[: sample.rfind(b"\n") + 1] or sample
    matches = from_bytes(sample, cp_isolation=_CANDIDATES)
    best = matches.best()
    if best is None:
        return ""
    western = next((one for one in matches if one.encoding == _WESTERN), None)
    try:
        alike = sample.decode(_WESTERN) == str(best)
    except UnicodeDecodeError:
        return best.encoding
    if alike or (western is not None and western.coherence >= best.coherence):
        return _WESTERN
    return best.encoding
