"""Tables that a measure writes into the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.measure import ROOT

RELIABILITY = ROOT / "docs" / "reliability.md"


def as_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(map(str, line))} |".replace("| --- ", "|---").replace("--- |", "---|")
        for line in lines
    )


def write(name: str, table: str) -> None:
    """Put a table into docs/reliability.md, between ``<!-- name -->`` and ``<!-- end of name -->``."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, _, rest = RELIABILITY.read_text(encoding="utf-8").partition(begin)
    RELIABILITY.write_text(f"{before}{begin}\n{table}\n{end}{rest.partition(end)[2]}", encoding="utf-8")
