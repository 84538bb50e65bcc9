"""Additions to requests for stories, letters, poems and other pieces; see ``prose`` for the notation."""

from __future__ import annotations

from evolver_offline.data import table

_TABLE = table("phrases/writing")

ADD_CONSTRAINTS = _TABLE.text("ADD_CONSTRAINTS")
DEEPEN = _TABLE.text("DEEPEN")
CONCRETIZE = _TABLE.text("CONCRETIZE")
INCREASE_REASONING = _TABLE.text("INCREASE_REASONING")
