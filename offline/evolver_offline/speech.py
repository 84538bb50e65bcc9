"""What answers are made of: openings, points, story sentences. Advice and method, never claims of fact.

``{a}`` and ``{b}`` stand for key terms of the instruction, in quotation marks where grammar needs it.
"""

from __future__ import annotations

from evolver_offline.data import table

_TABLE = table("speech")

OPENINGS = _TABLE.texts("OPENINGS")
POINTS = _TABLE.texts("POINTS")
HEADINGS = _TABLE.texts("HEADINGS")
CLOSINGS = _TABLE.texts("CLOSINGS")
ONE_LINERS = _TABLE.texts("ONE_LINERS")
LIST_ITEMS = _TABLE.texts("LIST_ITEMS")
REQUIREMENT_NOTES = _TABLE.texts("REQUIREMENT_NOTES")
STORY_BEGINNINGS = _TABLE.texts("STORY_BEGINNINGS")
STORY_MIDDLES = _TABLE.texts("STORY_MIDDLES")
STORY_ENDINGS = _TABLE.texts("STORY_ENDINGS")
POEM_LINES = _TABLE.texts("POEM_LINES")
JAPANESE_OPENINGS = _TABLE.texts("JAPANESE_OPENINGS")
JAPANESE_POINTS = _TABLE.texts("JAPANESE_POINTS")
JAPANESE_CLOSINGS = _TABLE.texts("JAPANESE_CLOSINGS")
CHINESE_OPENINGS = _TABLE.texts("CHINESE_OPENINGS")
CHINESE_POINTS = _TABLE.texts("CHINESE_POINTS")
REFUSALS = _TABLE.texts("REFUSALS")
JAPANESE_REFUSALS = _TABLE.texts("JAPANESE_REFUSALS")
