"""Graphs of a lineage as files that other programs read: Graphviz DOT, GraphML, GEXF and node-link JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from networkx import generate_gexf, generate_graphml, node_link_data

if TYPE_CHECKING:
    from evolver_store.lineage import Graph

_LABEL = 60  # characters of an instruction that a node shows
_COLOURS = {"seed": "lightblue", "survivor": "palegreen", "eliminated": "grey85", "failed": "mistyrose"}
_XML = '<?xml version="1.0" encoding="UTF-8"?>'


def dot(graph: Graph) -> Iterator[str]:
    """Yield the lines of a Graphviz file: nodes labelled by name, outcome and the start of the text."""
    yield from ("digraph lineage {", "  rankdir=TB;", '  node [shape=box, style="rounded,filled"];')
    for id_, row in graph.nodes.items():
        colour = _COLOURS.get(row["status"], "white")
        yield f"  {id_} [label={_quoted(_label(row))}, fillcolor={colour}];"
    for parent, child, edge in graph.edges(data=True):
        yield f"  {parent} -> {child} [label={_quoted(edge['mutator'])}];"
    yield "}"


def graphml(graph: Graph) -> Iterator[str]:
    """Yield the lines of a GraphML file with every column."""
    yield _XML
    yield from generate_graphml(graph)


def gexf(graph: Graph) -> Iterator[str]:
    """Yield the lines of a GEXF file (Gephi) with every column."""
    yield _XML
    yield from generate_gexf(graph)


def node_link(graph: Graph) -> Iterator[str]:
    """Yield node-link JSON, as d3 and :func:`networkx.node_link_graph` read it: ``nodes`` and ``edges``."""
    yield from json.JSONEncoder(ensure_ascii=False).iterencode(node_link_data(graph, edges="edges"))


WRITERS: dict[str, Callable[[Graph], Iterator[str]]] = {"dot": dot, "graphml": graphml, "gexf": gexf}
"""Formats of lines, by name; of graphs whose attributes are plain, as ``evolver_store.lineage`` makes them."""


def _label(row: dict[str, Any]) -> str:
    text = " ".join((row.get("instruction") or "(no text)").split())
    short = text if len(text) <= _LABEL else text[: _LABEL - 1] + "…"
    if not row["epoch"]:
        return f"{row['name']} seed\n{short}"
    fate = "" if row["status"] == "survivor" else f"\n{row.get('rule', '?')}"
    return f"{row['name']} {row['status']}{fate}\n{short}"


def _quoted(text: str) -> str:
    """Quote for DOT, where a backslash begins an escape and ``\\n`` is a line end."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
