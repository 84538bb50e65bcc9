"""Additions to questions, lists and requests in general.

One addition a line: ``tell :: sentence``. A sentence is not added to an instruction in which its tell stands
already, so that two word limits never meet. Slots in braces are filled from ``evolver_offline.words``.
"""

from __future__ import annotations

from evolver_offline.data import table

_TABLE = table("phrases/prose")

ADD_CONSTRAINTS = _TABLE.text("ADD_CONSTRAINTS")
DEEPEN = _TABLE.text("DEEPEN")
CONCRETIZE = _TABLE.text("CONCRETIZE")
INCREASE_REASONING = _TABLE.text("INCREASE_REASONING")
