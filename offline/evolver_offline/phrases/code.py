"""Additions to programming tasks; see ``prose`` for the notation."""

from __future__ import annotations

from evolver_offline.data import table

_TABLE = table("phrases/code")

ADD_CONSTRAINTS = _TABLE.text("ADD_CONSTRAINTS")
DEEPEN = _TABLE.text("DEEPEN")
CONCRETIZE = _TABLE.text("CONCRETIZE")
INCREASE_REASONING = _TABLE.text("INCREASE_REASONING")
COMPLEXITY = _TABLE.text("COMPLEXITY")
MISDIRECTION_LEADS = _TABLE.texts("MISDIRECTION_LEADS")
MISDIRECTION_CODE = _TABLE.texts("MISDIRECTION_CODE")
