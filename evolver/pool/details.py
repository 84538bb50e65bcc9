"""What else a row holds: its own id, and the further columns that travel with the seed."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from evolver.pool.columns import Layout

LONGEST = 1_000
"""Most characters of a column that travels; a vector or a document does not."""

MOST = 50
LEFT_BEHIND = "columns too large to keep"


def details_of(row: Mapping[str, Any], layout: Layout, unused: Counter[str]) -> dict[str, object] | None:
    """Return the row's ``id`` or ``idx`` and its further ``columns`` where a database can hold them, else ``None``.

    Missing values are left out; what is longer than 1,000 characters, or beyond 50 columns, is counted as unused.
    """
    found: dict[str, object] = {}
    name = layout.columns.get("id")
    if name is not None and (own := _own_id(row[name])) is not None:
        found[name.lower()] = own
    columns: dict[str, object] = {}
    for column in layout.rest:
        value = row[column]
        if value is None or value == "" or value != value:  # NaN alone differs from itself
            continue
        if len(columns) < MOST and _is_small(value) and _is_storable(column):
            columns[column] = value
        else:
            unused[LEFT_BEHIND] += 1
    if columns:
        found["columns"] = columns
    return found or None


def _own_id(value: object) -> int | str | None:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
        return value
    if isinstance(value, str) and value and len(value) <= LONGEST and _is_storable(value):
        return value
    return None


def _is_small(value: object) -> bool:
    if isinstance(value, bool):
        return True
    if isinstance(value, int):
        return abs(value) < 1 << 63
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return len(value) <= LONGEST and _is_storable(value)
    if isinstance(value, list | dict) and len(value) > LONGEST:
        return False
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError, TypeError):
        return False
    return len(text) <= LONGEST and "\\u0000" not in text and _is_storable(text)


def _is_storable(text: str) -> bool:
    """Whether a database can hold a text: no NUL, no lone surrogate."""
    return "\0" not in text and (text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text))
