"""Additions to Japanese and Chinese instructions; see ``prose`` for the notation."""

from __future__ import annotations

from evolver_offline.data import table

_TABLE = table("phrases/cjk")

JA_ADD_CONSTRAINTS = _TABLE.text("JA_ADD_CONSTRAINTS")
JA_DEEPEN = _TABLE.text("JA_DEEPEN")
JA_CONCRETIZE = _TABLE.text("JA_CONCRETIZE")
JA_INCREASE_REASONING = _TABLE.text("JA_INCREASE_REASONING")
ZH_ADD_CONSTRAINTS = _TABLE.text("ZH_ADD_CONSTRAINTS")
ZH_DEEPEN = _TABLE.text("ZH_DEEPEN")
ZH_CONCRETIZE = _TABLE.text("ZH_CONCRETIZE")
ZH_INCREASE_REASONING = _TABLE.text("ZH_INCREASE_REASONING")
