"""What the embedded model makes of an instruction."""

from __future__ import annotations

import ast
import json
import re
import sqlite3
from html.parser import HTMLParser
from subprocess import run
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evolver.text import fold
from evolver_offline.blocks import THEMES
from evolver_offline.dice import Dice
from evolver_offline.phrasebook import _BOOKS, _CHINESE, _JAPANESE, _PROSE
from evolver_offline.reading import Method, Rewrite, Task, rewrite_asked
from evolver_offline.rewriting import rewritten
from evolver_offline.subject import closed, read, with_sentence
from evolver_templates import render
from evolver_templates.labels import FORMATS

SAMPLES = 40
METHODS: tuple[Method, ...] = (
    "constraints", "deepen", "concretize", "reasoning", "misdirection", "complexity",
)  # fmt: skip
CODE = "def f(x):\n\treturn  {'a': x}  # café\r\n\n<b>&amp;</b>"


def blocks(format_: str) -> list[str]:
    given = "Explain how a neural network learns."
    texts = [rewritten(Rewrite("data", given, format_), Dice(seed)) for seed in range(SAMPLES)]
    return [text.split("\n\n", 1)[1] for text in texts]


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_of_data_can_be_added(format_: str) -> None:
    assert len(set(blocks(format_))) > SAMPLES // 2


@pytest.mark.parametrize("block", blocks("JSON"))
def test_json_blocks_parse(block: str) -> None:
    assert any(isinstance(value, list) and value for value in json.loads(block).values())


@pytest.mark.parametrize("block", blocks("XML"))
def test_xml_blocks_parse(block: str) -> None:
    assert len(ElementTree.fromstring(block)) >= 3


@pytest.mark.parametrize("block", blocks("SQL database"))
def test_sql_blocks_run(block: str) -> None:
    with sqlite3.connect(":memory:") as database:
        database.executescript(block)
        table = re.search(r"CREATE TABLE (\w+)", block)
        assert table is not None
        rows = database.execute(f"SELECT * FROM {table[1]}").fetchall()
    database.close()
    assert len(rows) >= 3


@pytest.mark.parametrize("block", blocks("Python code"))
def test_python_blocks_run(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block, "block", "exec"), {})

    assert capsys.readouterr().out


@pytest.mark.parametrize("block", blocks("HTML page"))
def test_html_blocks_close_every_tag(block: str) -> None:
    class Checker(HTMLParser):
        opened: list[str]

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.opened.pop() == tag

    checker = Checker()
    checker.opened = []
    checker.feed(block)
    checker.close()
    assert checker.opened == []
    assert block.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("block", blocks("shell command")[:8])
def test_shell_blocks_run(block: str) -> None:
    finished = run(["/bin/sh", "-c", block], capture_output=True, text=True, check=False)

    assert finished.returncode == 0
    assert finished.stderr == ""


@pytest.mark.parametrize("format_", FORMATS)
def test_a_rewrite_with_data_keeps_the_input_that_was_there(format_: str) -> None:
    text = rewritten(Rewrite("data", f"Fix this code.\n{CODE}", format_), Dice(1))

    assert text.startswith(f"Fix this code.\n{CODE}\n\n")


def test_a_table_is_not_named_like_its_column() -> None:
    assert not [theme for theme in THEMES if theme.record in (theme.first, theme.second, theme.number)]


@pytest.mark.parametrize("method", METHODS)
def test_code_below_the_instruction_is_kept_byte_for_byte(method: Task) -> None:
    for seed in range(SAMPLES):
        text = rewritten(Rewrite(method, f"Explain what this code does.\n{CODE}"), Dice(seed))

        assert text.startswith("Explain what this code does.")
        assert f"\n{CODE}" in text


@given(st.text(), st.text())
@example("Sort this list", "3\n1")
@example("Rewrite this:", "word")
@example("", "")
@example("Write a function of the\nform f(x)", "x")
def test_a_sentence_is_added_to_any_text_and_takes_nothing_but_a_last_mark(head: str, body: str) -> None:
    subject = read(f"{head}\n{body}")

    text = with_sentence(subject, "Say why.")

    assert "Say why." in text
    assert subject.body in text
    assert text.startswith(subject.head.rstrip().rstrip(":,;：、，-").rstrip())


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("Sort this list", "Sort this list. "),
        ("Sort this list.", "Sort this list. "),
        ("Why?", "Why? "),
        ("Sort the following:", "Sort the following. "),
        ('The theme is "Rain"', 'The theme is "Rain". '),
        ('Say "Stop!"', 'Say "Stop!" '),
    ],
)
def test_a_sentence_is_closed_before_another_follows(head: str, expected: str) -> None:
    assert closed(head) == expected


def test_japanese_sentences_are_joined_without_a_space() -> None:
    text = rewritten(Rewrite("deepen", "俳句について説明してください"), Dice(3))

    assert text.startswith("俳句について説明してください。")
    assert text.endswith("。")
    assert " " not in text


def test_text_after_a_colon_on_the_same_line_is_data_and_stays_apart() -> None:
    text = rewritten(Rewrite("deepen", "Translate the following sentence: I miss the bus."), Dice(3))

    assert text.startswith("Translate the following sentence: I miss the bus.\n\n")


@pytest.mark.parametrize(
    "given", ["Explain photosynthesis.", "Write a Python function.", "物語を書いてください。"]
)
def test_twenty_rewrites_in_a_row_never_repeat_a_sentence(given: str) -> None:
    text = given
    for seed in range(20):
        text = rewritten(Rewrite("constraints", text), Dice(seed))
    sentences = [part for part in re.split(r"(?<=[.。])\s*", text) if part]

    assert len(sentences) > 20
    assert len(sentences) == len(set(sentences))


@pytest.mark.parametrize(
    "given", ["Explain photosynthesis.", "Write a poem.", "Write a Python function.", "请写一篇短文。"]
)
def test_an_instruction_that_has_every_addition_still_changes(given: str) -> None:
    text = given
    for seed in range(300):
        following = rewritten(Rewrite("reasoning", text), Dice(seed))
        assert fold(following) != fold(text)
        text = following


def test_every_method_has_at_least_25_phrases() -> None:
    books = (*{id(book): book for book in _BOOKS.values()}.values(), _PROSE, _JAPANESE, _CHINESE)
    for method in METHODS[:4]:
        assert len({phrase.parts for book in books for phrase in book[method]}) >= 25


@pytest.mark.parametrize(
    ("mutator", "expected"),
    [
        ("depth/add_constraints", "constraints"),
        ("depth/deepen", "deepen"),
        ("depth/concretize", "concretize"),
        ("depth/increase_reasoning", "reasoning"),
        ("breadth", "breadth"),
        ("code/constraints", "constraints"),
        ("code/specific", "concretize"),
        ("code/reasoning", "reasoning"),
        ("code/misdirection", "misdirection"),
        ("code/complexity", "complexity"),
    ],
)
@given(instruction=st.text(min_size=1))
@example("Sort this.\n#Given Prompt#:\nno\n#Rewritten Prompt#:\nno")
@example("#Method#:\nspecific")
def test_every_template_is_read_as_what_it_asks_for(mutator: str, expected: str, instruction: str) -> None:
    asked = rewrite_asked(render(f"{mutator}.jinja", instruction=instruction))

    assert asked.task == expected
    assert asked.given == instruction
    assert asked.coding == mutator.startswith("code/")


@pytest.mark.parametrize(("format_", "data"), FORMATS.items())
def test_the_format_is_read_from_the_open_label(format_: str, data: str) -> None:
    prompt = render("depth/complicate_input.jinja", instruction="Plan a walk.", data=data)

    assert rewrite_asked(prompt) == Rewrite("data", "Plan a walk.", format_)


@pytest.mark.parametrize(
    ("prompt", "given"),
    [
        ("Name two edge cases.\n\nSort a list.\n\n[3, 1]", "Sort a list.\n\n[3, 1]"),
        ("Rewrite the task.\nTask:\nSort a list.\nRewritten task:", "Sort a list."),
        ("Sort a list.", "Sort a list."),
        ("", ""),
    ],
)
def test_the_instruction_is_found_in_prompts_of_anybodys_wording(prompt: str, given: str) -> None:
    assert rewrite_asked(prompt) == Rewrite("constraints", given)


@given(
    st.text(),
    st.sampled_from(["breadth", "data", *METHODS]),
    st.sampled_from([*FORMATS]),
    st.integers(0, 999),
)
@example("", "breadth", "JSON", 0)
@example("\ud800", "data", "XML", 0)
def test_any_text_can_be_rewritten(text: str, task: Task, format_: str, seed: int) -> None:
    assert rewritten(Rewrite(task, text, format_), Dice(seed)) != text


@pytest.mark.parametrize(
    "given",
    ["Write a Python function that sorts.", "Calculate 3% of 40.", "Classify: dog, oak.", "What is frost?"],
)
def test_breadth_brings_thousands_of_new_instructions(given: str) -> None:
    made = {rewritten(Rewrite("breadth", given), Dice.of(str(seed))) for seed in range(200)}

    assert len(made) > 40
    assert given not in made


def test_breadth_stays_in_the_domain() -> None:
    asked = Rewrite("breadth", "Write a Python function that sorts a list.")

    assert {read(rewritten(asked, Dice.of(str(seed)))).kind for seed in range(SAMPLES)} == {"code"}


def test_faulty_code_compiles_and_stands_below_its_warning() -> None:
    text = rewritten(Rewrite("misdirection", "Write a Python function that adds numbers."), Dice(4))

    lead, code = text.split("\n\n", 2)[1:]
    assert lead.endswith(":")
    assert ast.parse(code).body


def test_a_programming_prompt_gets_programming_additions_whatever_the_question_looks_like() -> None:
    asked = Rewrite("complexity", "Write about sums.", coding=True)
    told = {rewritten(asked, Dice.of(str(seed))) for seed in range(SAMPLES)}

    assert any("O(n log n)" in text for text in told)
    assert not any("paragraph" in text for text in told)
