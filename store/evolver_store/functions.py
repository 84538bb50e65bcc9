"""What a query by a user may call in SQLite: functions whose time grows no faster than the texts they are given.

A query's time limit is looked at between the steps of SQLite's machine, never inside a function. So no function may
take long over a single value: those that compare everything with everything are taken from Python, where they do not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

LONGEST_VALUE = 64 << 20  # bytes of one value, or of one row, that a query may build
_LONGEST_PATTERN = 500  # of LIKE and GLOB

_NAMES = """
    abs acos acosh asin asinh atan atan2 atanh avg ceil ceiling char coalesce concat concat_ws cos cosh count cume_dist
    current_date current_time current_timestamp date datetime degrees dense_rank exp first_value floor format glob
    group_concat hex if ifnull iif instr json json_array json_array_length json_each json_error_position json_extract
    json_group_array json_group_object json_insert json_object json_pretty json_quote json_remove json_replace json_set
    json_tree json_type json_valid julianday lag last_value lead length like likelihood likely ln log log10 log2 lower
    ltrim max median min mod nth_value ntile nullif octet_length percent_rank percentile percentile_cont
    percentile_disc pi pow power printf quote radians random randomblob rank replace round row_number rtrim sign sin
    sinh soundex sqlite_version sqrt strftime string_agg substr substring subtype sum tan tanh time timediff total trim
    trunc typeof unicode unixepoch unlikely upper zeroblob -> ->>
"""
ALLOWED = frozenset(_NAMES.split())


def hold_functions_in(conn: sqlite3.Connection) -> None:
    """Bound what one function can take, on a connection that answers users' queries."""
    conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    conn.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, _LONGEST_PATTERN)
    conn.create_function("instr", 2, _instr, deterministic=True)
    conn.create_function("replace", 3, _replace, deterministic=True)
    for name, strip in (("trim", str.strip), ("ltrim", str.lstrip), ("rtrim", str.rstrip)):
        conn.create_function(name, 2, partial(_trim, strip), deterministic=True)


def _instr(text: Any, part: Any) -> int | None:
    if text is None or part is None:
        return None
    if isinstance(text, bytes) and isinstance(part, bytes):
        return text.find(part) + 1
    return _as_text(text).find(_as_text(part)) + 1


def _replace(text: Any, old: Any, new: Any) -> str | None:
    if text is None or old is None or new is None:
        return None
    whole, part, instead = _as_text(text), _as_text(old), _as_text(new)
    if not part:
        return whole
    if len(whole) + whole.count(part) * (len(instead) - len(part)) > LONGEST_VALUE:
        raise OverflowError("string or blob too big")
    return whole.replace(part, instead)


def _trim(strip: Callable[[str, str], str], text: Any, characters: Any) -> str | None:
    if text is None or characters is None:
        return None
    return strip(
        _as_text(text), "".join(set(_as_text(characters)))
    )  # it looks through all of them at each character


def _as_text(value: Any) -> str:
    """Return a value as SQLite itself turns it to text."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if not isinstance(value, float):
        return str(value)
    digits, power, exponent = f"{value:.15g}".partition("e")
    return f"{digits if '.' in digits or 'n' in digits else digits + '.0'}{power}{exponent}"
