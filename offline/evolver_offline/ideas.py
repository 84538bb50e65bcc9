"""Patterns of new instructions, and what fills them; see ``phrases.prose`` for the notation (no tells here)."""

from __future__ import annotations

from evolver_offline.data import table

_TABLE = table("ideas")

QUESTIONS = _TABLE.text("QUESTIONS")
WRITING = _TABLE.text("WRITING")
CODE = _TABLE.text("CODE")
CODE_SLOTS = _TABLE.lists("CODE_SLOTS")
MATHS = _TABLE.text("MATHS")
MATHS_SLOTS = _TABLE.lists("MATHS_SLOTS")
TEXT_SLOTS = _TABLE.lists("TEXT_SLOTS")
TRANSLATION = _TABLE.text("TRANSLATION")
CLASSIFY = _TABLE.text("CLASSIFY")
EDIT = _TABLE.text("EDIT")
DATA = _TABLE.text("DATA")
JAPANESE = _TABLE.text("JAPANESE")
JAPANESE_SLOTS = _TABLE.lists("JAPANESE_SLOTS")
JAPANESE_CODE = _TABLE.text("JAPANESE_CODE")
CHINESE = _TABLE.text("CHINESE")
CHINESE_SLOTS = _TABLE.lists("CHINESE_SLOTS")
