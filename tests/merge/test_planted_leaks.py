"""Leaks planted in five ways, found or missed as the documentation says, and clean rows left alone."""

from __future__ import annotations

import ast
import builtins
import json
import keyword
import os
import re
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

import pytest

from evolver.merge.benchmarks import read_benchmarks
from evolver.merge.contamination import Contamination
from evolver.pool import read_pool

BENCHMARK = Path(__file__).parent / "data" / "humaneval_like.jsonl"
ITEMS = [json.loads(line) for line in BENCHMARK.read_text("utf-8").splitlines()]
POOLS = Path(os.environ.get("EVOLVER_POOLS", ""))
KEPT_NAMES = {*keyword.kwlist, *dir(builtins)}
FOREIGN = (
    "gib",
    "die",
    "kleinste",
    "ganze",
    "Zahl",
    "der",
    "Liste",
    "ohne",
    "jede",
    "weitere",
    "Folge",
    "zurück",
)

Leak = Callable[[dict[str, str]], tuple[str, str]]


@pytest.fixture(scope="module")
def contamination() -> Contamination:
    return Contamination(read_benchmarks([BENCHMARK]))


def reformatted(text: str) -> str:
    tight = re.sub(r"\s*([=+\-*/<>,:()\[\]])\s*", r"\1", text)
    return re.sub(r"\s+", "\r\n\t\t", tight)


def parts(item: dict[str, str]) -> tuple[str, str, str, str]:
    head, doc, rest = item["prompt"].split('"""')
    prose, examples = doc.split("\n\n", 1)
    return head, prose, examples, rest


def renamed(item: dict[str, str]) -> tuple[str, str]:
    """Every name of the program's own is another one, in its code and its examples."""
    tree = ast.walk(ast.parse(item["prompt"] + item["canonical_solution"]))
    names: set[str] = set()
    for node in tree:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    new = {name: f"v{place}" for place, name in enumerate(sorted(names - KEPT_NAMES))}

    def rename(text: str) -> str:
        return re.sub(r"\b[A-Za-z_]\w*\b", lambda match: new.get(match[0], match[0]), text)

    head, prose, examples, rest = parts(item)
    return f'{rename(head)}"""{prose}\n\n{rename(examples)}"""{rest}', rename(item["canonical_solution"])


def translated(item: dict[str, str]) -> str:
    """No word of the description is left, as in another language."""
    head, prose, examples, rest = parts(item)
    foreign = " ".join(islice(cycle(FOREIGN), len(prose.split())))
    return f'{head}"""{foreign}\n\n{examples}"""{rest}'


def embedded(item: dict[str, str]) -> tuple[str, str]:
    before = "This is the third task of my course, and I have to hand it in on Monday. Please help me!"
    after = "Explain every step in plain words, and add two tests of your own. Thank you."
    return f"{before}\n\n{item['prompt']}\n\n{after}", "Of course."


def share_found(contamination: Contamination, leak: Leak) -> float:
    return sum(contamination.find(*leak(item)) is not None for item in ITEMS) / len(ITEMS)


ALWAYS: dict[str, Leak] = {
    "verbatim, in the instruction": lambda item: (item["prompt"], "Of course."),
    "verbatim, in the response": lambda item: ("Give me a task.", item["prompt"]),
    "reformatted white space": lambda item: (reformatted(item["prompt"]), "Of course."),
    "other case": lambda item: (item["prompt"].upper(), "Of course."),
    "embedded in a longer text": embedded,
}

# What the documentation states; a change that finds less must say so there.
RECALL: list[tuple[str, Leak, float]] = [
    ("renamed, prompt alone", lambda item: (renamed(item)[0], "Of course."), 0.95),
    ("renamed, prompt and solution", renamed, 0.95),
    ("translated, prompt alone", lambda item: (translated(item), "Of course."), 0.22),
    ("translated, prompt and solution", lambda item: (translated(item), item["canonical_solution"]), 0.97),
    ("solution alone", lambda item: ("Solve it.", item["canonical_solution"]), 0.92),
]


@pytest.mark.parametrize("name", ALWAYS)
def test_a_leak_that_keeps_its_words_is_always_found(contamination: Contamination, name: str) -> None:
    for item in ITEMS:
        finding = contamination.find(*ALWAYS[name](item))
        assert finding is not None, item["task_id"]
        assert finding.item == f"{BENCHMARK.name} {item['task_id']}"
        assert (finding.part, finding.method, finding.score) == ("prompt", "substring", 1.0)


@pytest.mark.parametrize(("name", "leak", "stated"), RECALL, ids=[name for name, _, _ in RECALL])
def test_recall_is_what_the_documentation_states(
    contamination: Contamination, name: str, leak: Leak, stated: float
) -> None:
    found = share_found(contamination, leak)

    assert stated <= found < stated + 0.03, name
    page = (Path(__file__).parents[2] / "docs" / "merging.md").read_text("utf-8")
    assert f"| {name} | {found:.0%} |" in page


@pytest.mark.skipif(not os.environ.get("EVOLVER_POOLS"), reason="EVOLVER_POOLS names no folder")
@pytest.mark.parametrize("pool", ["alpaca_2000.json", "code_alpaca_2017.json"])
def test_fewer_than_one_clean_row_in_200_is_flagged(contamination: Contamination, pool: str) -> None:
    seeds = list(read_pool(POOLS / pool))

    flagged = sum(contamination.find(seed.instruction, seed.response or "") is not None for seed in seeds)

    assert flagged / len(seeds) < 0.005
