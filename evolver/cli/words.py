"""Short names, for tables and lines that are 80 columns wide."""

from __future__ import annotations

SHORT_RULES = {
    "no_information_gain": "no gain",
    "copied_prompt": "copied",
    "refusal": "refusal",
    "only_stop_words": "stop words",
    "truncated": "truncated",
    "other_rules": "other",
}
