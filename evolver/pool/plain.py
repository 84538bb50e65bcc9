"""Values of Python, numpy, pandas and Arrow as JSON knows them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: numbers of numpy, dates, tuples and the like by what they say.

    NaN and the missing values of pandas are ``None``; a key whose value is missing is left out, and bytes are too.

    Raises:
        RecursionError: The value holds itself.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        items = ((str(key), plain(one)) for key, one in value.items())
        return {key: one for key, one in items if one is not None}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return None
    if hasattr(value, "tolist"):  # a scalar or an array of numpy
        return plain(value.tolist())
    if hasattr(value, "isoformat"):
        return None if value != value else value.isoformat()  # "not a time" alone differs from itself
    return None if type(value).__name__ == "NAType" else str(value)
