"""Additions to tasks with a given text or figures: sorting, editing, translating, calculating, tables.

See ``prose`` for the notation.
"""

from __future__ import annotations

from evolver_offline.data import table

_TABLE = table("phrases/tasks")

ADD_CONSTRAINTS = _TABLE.text("ADD_CONSTRAINTS")
DEEPEN = _TABLE.text("DEEPEN")
CONCRETIZE = _TABLE.text("CONCRETIZE")
INCREASE_REASONING = _TABLE.text("INCREASE_REASONING")
