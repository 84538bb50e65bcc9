"""The embedded model's vocabulary: what fills the slots of its sentences."""

from __future__ import annotations

from evolver_offline.data import table

_TABLE = table("words")

SLOTS = _TABLE.lists("SLOTS")
CJK_FEW = _TABLE.texts("CJK_FEW")
TOPICS = _TABLE.lists("TOPICS")
DOMAIN_CUES = _TABLE.named("DOMAIN_CUES")
