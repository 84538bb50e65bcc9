"""What a file is that is no pool: a page, a pointer, an archive, a database; told from its first bytes."""

from __future__ import annotations

import re

from evolver.pool.record import NoPoolError

_UNPACK = "Unpack it, and name the file in it that holds the instructions."
_EXPORT = "Export its rows as CSV, JSONL or Parquet."
_FETCH = "Fetch the file itself; the address of the page is not that of the file."
_CONVERT = "Write its rows as CSV, JSONL or Parquet."

_BINARY: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "is a ZIP archive or an Office document (.zip, .xlsx, .docx)", f"{_UNPACK} {_EXPORT}"),
    (b"%PDF-", "is a PDF document", "Take its text out first."),
    (b"SQLite format 3\0", "is an SQLite database", _EXPORT),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Office document (.xls, .doc)", _EXPORT),
    (b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a\x07", "is a RAR archive", _UNPACK),
    (b"\x04\x22\x4d\x18", "is packed with LZ4", _UNPACK),
    (b"\x89PNG", "is an image", "Name a file that holds instructions."),
    (b"\xff\xd8\xff", "is an image", "Name a file that holds instructions."),
    (b"GIF8", "is an image", "Name a file that holds instructions."),
    (b"\x7fELF", "is a program", "Name a file that holds instructions."),
    (b"\x93NUMPY", "is an array of NumPy", _CONVERT),
    (b"\x89HDF\r\n", "is an HDF5 file", _CONVERT),
    (b"Obj\x01", "is an Avro file", _CONVERT),
    (b"ORC", "is an ORC file", _CONVERT),
    (b"FEA1", "is a Feather file of version 1", _CONVERT),
    (b"{\\rtf", "is an RTF document", "Save it as plain text."),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05](?:\x95|[\]}c(])")
_LFS = re.compile(r"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\s")
_PAGE = re.compile(r"<(?:!--|!doctype\b|html\b|head\b|body\b|\?xml\b|svg\b|rss\b)", re.IGNORECASE)
_REPR = re.compile(
    r"[\[(]?\s*\{\s*(?:'(?:[^'\\\n]|\\.){1,80}'\s*:|\"[^\"\n]{1,80}\"\s*:\s*(?:'|None\b|True\b|False\b))"
)
_REPR_OF = re.compile(r"(?:Dataset(?:Dict)?\(\{|DataFrame\(|OrderedDict\(|\[?[A-Z]\w+\((?:\w+=|\{))")
_MARKDOWN_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-{3,}:?[ \t]*\|")
_YAML = re.compile(
    r"(?:---[ \t]*\n)?(?:-[ \t]+)?(?:instruction|prompt|question|input|messages|problem)[ \t]*:(?: [^\n]*)?\n"
    r"(?:[ \t]+[^\n]*\n)*[ \t]*(?:output|response|completion|answer|input|solution|- role)[ \t]*:",
    re.IGNORECASE,
)
_CONTROL = bytes(range(9)) + bytes(range(14, 32)) + b"\x7f"
_MOST_CONTROL = 0.02


def refuse_binary(head: bytes) -> None:
    """Refuse bytes that are no text and no format a pool may have.

    Raises:
        NoPoolError: They are of something known, or hold more control bytes than text does.
    """
    for magic, what, advice in _BINARY:
        if head.startswith(magic):
            raise NoPoolError(what, advice)
    if head[257:262] == b"ustar":
        raise NoPoolError("is a tar archive", _UNPACK)
    if _PICKLE.match(head):
        raise NoPoolError("is a pickle of Python, which is never opened", _CONVERT)


def refuse_binary_text(head: bytes) -> None:
    """Refuse what was decoded and still holds more control characters than text does.

    Raises:
        NoPoolError: More than one byte in fifty is one.
    """
    found = len(head) - len(head.translate(None, _CONTROL))
    if found > max(8, _MOST_CONTROL * len(head)):
        raise NoPoolError(
            "is no text, nor any format a pool may have", "Name a file that holds instructions."
        )


def refuse_foreign_text(text: str, suffix: str) -> None:
    """Refuse a text that is not made of instructions, by its beginning (white space stripped before it).

    Args:
        text: The first 64 KiB.
        suffix: The ending of the file's name, in lower case; ``.json`` promises JSON.

    Raises:
        NoPoolError: It is a web page, a pointer, a Python repr, a Markdown table, YAML.
    """
    if _LFS.match(text):
        raise NoPoolError(
            "is a Git LFS pointer, not the file it stands for",
            "Fetch the file: git lfs pull, or from its site.",
        )
    if _PAGE.match(text):
        raise NoPoolError("is a web page or XML", _FETCH)
    if _REPR.match(text) or _REPR_OF.match(text):
        raise NoPoolError(
            "holds what Python prints, not JSON", "Write the rows with json.dumps, one a line, and read that."
        )
    first, _, after = text.partition("\n")
    if "|" in first and _MARKDOWN_RULE.match(after):
        raise NoPoolError("is a Markdown table", _EXPORT)
    if _YAML.match(text) or suffix in (".yaml", ".yml"):
        raise NoPoolError("is YAML", "Write its rows as JSONL.")


def refuse_plain_text(text: str, suffix: str) -> None:
    """Refuse plain text in a file whose name promises JSON.

    Raises:
        NoPoolError: The name ends so.
    """
    if suffix in (".json", ".jsonl", ".ndjson"):
        first = text.partition("\n")[0].strip()
        shown = first if len(first) <= 40 else f"{first[:40]}…"
        raise NoPoolError(
            f"is named {suffix} but holds no JSON: it begins {shown!r}",
            "Fetch or write it again; plain text with one instruction a line is read from a name that ends .txt.",
        )
