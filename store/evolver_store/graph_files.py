"""Graphs of a lineage as files that other programs read: Graphviz DOT and GraphML."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from networkx import DiGraph, generate_graphml

if TYPE_CHECKING:
    from evolver_store.lineage import Graph

_LABEL = 60  # characters of an instruction that a node shows
_COLOURS = {"seed": "lightblue", "survivor": "palegreen", "eliminated": "grey85", "failed": "mistyrose"}
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def dot(graph: Graph) -> str:
    """Return the graph for Graphviz: nodes labelled by epoch, mutator and the start of the text."""
    lines = ["digraph lineage {", "  rankdir=TB;", '  node [shape=box, style="rounded,filled"];']
    for id_, row in graph.nodes.items():
        colour = _COLOURS.get(row["status"], "white")
        lines.append(f"  {id_} [label={_quoted(_label(row))}, fillcolor={colour}];")
    for parent, child, edge in graph.edges(data=True):
        lines.append(f"  {parent} -> {child} [label={_quoted(edge['mutator'] or '')}];")
    return "\n".join([*lines, "}"])


def graphml(graph: Graph) -> str:
    """Return the graph as GraphML with every column; ``details`` is JSON, times are ISO 8601.

    Signs that XML cannot hold (control characters) become U+FFFD; what is NULL is left out.
    """
    written: Graph = DiGraph()
    written.add_nodes_from((id_, _attributes(row)) for id_, row in graph.nodes.items())
    written.add_edges_from((parent, child, _attributes(edge)) for parent, child, edge in graph.edges.data())
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + "\n".join(generate_graphml(written))


def _label(row: dict[str, Any]) -> str:
    text = " ".join((row["instruction"] or "(no text)").split())
    short = text if len(text) <= _LABEL else text[: _LABEL - 1] + "…"
    if not row["epoch"]:
        return f"seed\n{short}"
    fate = "" if row["status"] == "survivor" else f"\n{row['rule']}"
    return f"epoch {row['epoch']}: {row['status']}{fate}\n{short}"


def _quoted(text: str) -> str:
    """Quote for DOT, where a backslash begins an escape and ``\\n`` is a line end."""
    clean = _NOT_IN_XML.sub("\ufffd", text)  # renderers write SVG, which is XML
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _attributes(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _attribute(value) for name, value in row.items() if value is not None}


def _attribute(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return _NOT_IN_XML.sub("\ufffd", value) if isinstance(value, str) else value
