"""The report of a merge as a JSON file: its figures, and one line for each row dropped or flagged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evolver.merge.clean import Cleaned, Dropped
from evolver.merge.collect import split_key
from evolver.merge.formats import public_id
from evolver.merge.job import Cleaning, MergeReport, MergeSettings
from evolver.merge.output import replacing
from evolver.merge.reader import Reader


def write_findings(
    path: Path,
    report: MergeReport,
    settings: MergeSettings,
    cleaning: Cleaning,
    cleaned: Cleaned,
    readers: Sequence[Reader],
) -> None:
    """Write the report; as long as the file is, a line of it is a row, so that it can be searched as text.

    Raises:
        OutputError: It cannot be written; an older one is untouched.
    """
    head = {
        **figures(report),
        "settings": {
            **asdict(settings),
            **asdict(cleaning),
            "decontaminate": list(map(str, cleaning.decontaminate)),
            "rules": list(map(_named, cleaning.rules)),
        },
    }
    with replacing(path) as file:
        file.write(_json(head)[:-1].encode())
        for name, found in (("dropped_rows", cleaned.dropped), ("flagged_rows", cleaned.flagged)):
            file.write(f', "{name}": ['.encode())
            for number, row in enumerate(_rows(found, readers)):
                file.write(f"{',' if number else ''}\n{_json(row)}".encode())
            file.write(b"]")
        file.write(b"}\n")


def figures(report: MergeReport) -> dict[str, Any]:
    """Return a report as JSON has it."""
    return {**asdict(report), "output": str(report.output), "recipe": list(map(str, report.recipe))}


def _rows(found: Sequence[Dropped], readers: Sequence[Reader]) -> Iterator[dict[str, Any]]:
    for one in found:
        row = {**_place(one.key, readers), "reason": one.reason}
        if one.other is not None:
            row["ancestor" if one.reason == "contaminated_family" else "kept"] = _place(one.other, readers)
        if one.rule is not None:
            row |= {"reason": "rule", "rule": one.rule.rule, "said": one.rule.reason}
        elif one.finding is not None:
            row |= one.finding._asdict()
        elif one.reason != "contaminated_family":
            row["score"] = one.score
        yield row


def _place(key: int, readers: Sequence[Reader]) -> dict[str, Any]:
    source, id_ = split_key(key)
    reader = readers[source]
    return {"run": reader.name, "source": reader.kind, "id": public_id(reader.kind, id_)}


def _named(rule: object) -> str:
    return rule if isinstance(rule, str) else str(getattr(rule, "__name__", type(rule).__name__))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
