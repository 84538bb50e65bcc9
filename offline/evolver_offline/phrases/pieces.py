"""Additions to requests for articles, letters, speeches, recipes and the like; see ``prose`` for the notation."""

from __future__ import annotations

from evolver_offline.data import table

_TABLE = table("phrases/pieces")

ADD_CONSTRAINTS = _TABLE.text("ADD_CONSTRAINTS")
DEEPEN = _TABLE.text("DEEPEN")
CONCRETIZE = _TABLE.text("CONCRETIZE")
INCREASE_REASONING = _TABLE.text("INCREASE_REASONING")
