from __future__ import annotations

import re
from pathlib import Path

from evolver.elimination.built_in import BUILT_IN
from evolver.elimination.judge import parse_judgement
from evolver.elimination.rules import load_rules
from evolver.elimination.verdict import Candidate, Drop

PAGE = Path(__file__).parents[2] / "docs" / "elimination.md"


def test_every_rule_has_a_section_that_says_what_it_catches_wrongly() -> None:
    sections = re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    told = {section.split("\n", 1)[0] for section in sections if "*Wrongly caught:*" in section}

    assert told == set(BUILT_IN)


def test_the_order_on_the_page_is_the_order_of_the_rules() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rules = load_rules()

    for stage in (rules.instruction_rules, rules.response_rules):
        assert f": {', '.join(f'`{rule.name}`' for rule in stage)}, then yours." in page


def test_the_examples_on_the_page_run() -> None:
    names: dict[str, object] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)

    rules = load_rules([names["too_long"], names["no_code"]])  # type: ignore[list-item]
    assert rules.check_instruction(Candidate("a", "word " * 301)) == Drop(
        "too_long", "301 words, more than 300"
    )
    assert rules.check_response(Candidate("a", "b", "Fine.")) == Drop("no_code", "0 code blocks")


def test_the_judges_answers_on_the_page_are_read_as_it_says() -> None:
    rows = re.findall(r"^\| (.*) \| `(\w+)` \| .* \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert len(rows) == 3
    for answers, verdict in rows:
        assert {parse_judgement(answer) for answer in re.findall("`([^`]+)`", answers)} == {verdict}
