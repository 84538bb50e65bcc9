"""Short names, for tables and lines that are 80 columns wide."""

from __future__ import annotations

SHORT_RULES = {
    "no_information_gain": "no gain",
    "copied_prompt": "copied",
    "refusal": "refusal",
    "only_stop_words": "stopwords",
    "truncated": "truncated",
}


def counted(count: int, thing: str) -> str:
    """Return ``1 row`` or ``2 rows``, for things whose plural is an s."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
