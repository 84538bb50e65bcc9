"""What every template carries, and that an instruction goes through it unharmed."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jinja2 import TemplateNotFound, UndefinedError

from evolver_templates import UserTemplate, labels, prompt_labels, render

DEPTH = {
    "add_constraints": ("one more constraint or requirement",),
    "deepen": ("inquire", "depth", "breadth"),
    "concretize": ("general concepts", "more specific"),
    "increase_reasoning": ("few simple", "explicitly", "reasoning in multiple steps"),
}
FRAME = (
    "rewriter of prompts",
    "more complex version",
    "well-known AI systems",
    "a bit harder",
    "reasonable",
    "understand",
    "answer",
    "tables",
    "code",
    "input",
    "dropped",
    "exactly this method",
    "wordy",
    "only 10 to 20 words",
    "must not appear in the result",
    "#Given Prompt#",
    "#Rewritten Prompt#",
    '"given prompt"',
    '"rewritten prompt"',
)
CODE = {
    "constraints": ("new constraints and requirements", "about 10 additional words"),
    "specific": ("common", "rarer", "more specific"),
    "reasoning": ("more reasoning steps",),
    "misdirection": ("erroneous code", "reference", "misdirect"),
    "complexity": ("higher time or space complexity", "but refrain from doing so frequently"),
}


def lines(prompt: str) -> list[str]:
    return prompt.split("\n")


def demonstrations() -> list[str]:
    prompt = render("depth/complicate_input.jinja", instruction="q", data="JSON data")
    return prompt[prompt.index("Demonstration 1") :].split("\n==========\n")[:-1]


def data_of(number: int) -> str:
    """The data of one demonstration: everything below the line of the instruction."""
    return demonstrations()[number].split("as its input):\n")[1].split("\n", 1)[1]


@pytest.mark.parametrize(("name", "method"), DEPTH.items(), ids=DEPTH)
def test_a_depth_prompt_carries_the_frame_and_its_method(name: str, method: tuple[str, ...]) -> None:
    prompt = render(f"depth/{name}.jinja", instruction="Q")

    assert [phrase for phrase in FRAME if phrase not in prompt] == []
    told = prompt.split(f"\n{labels.METHOD}\n")[1].split("\n")[0]
    assert [phrase for phrase in method if phrase not in told] == []


@pytest.mark.parametrize(("name", "method"), CODE.items(), ids=CODE)
def test_a_code_prompt_carries_the_frame_and_its_method(name: str, method: tuple[str, ...]) -> None:
    prompt = render(f"code/{name}.jinja", instruction="Q")

    frame = ("difficulty", "programming question", "a bit", "using, but not limited to")
    assert [phrase for phrase in frame if phrase not in prompt] == []
    told = prompt.split(f"\n{labels.METHOD}\n")[1].split("\n")[0]
    assert [phrase for phrase in method if phrase not in told] == []


def test_the_breadth_prompt_asks_for_a_rarer_prompt_of_the_domain_without_a_word_limit() -> None:
    prompt = render("breadth.jinja", instruction="Q")

    wanted = (
        "brand-new",
        "inspiration",
        "same domain",
        "rarer",
        "length",
        "difficulty",
        "similar",
        '"created prompt"',
    )
    assert [phrase for phrase in wanted if phrase not in prompt] == []
    assert "words" not in prompt
    assert "dropped" not in prompt


@pytest.mark.parametrize("data", labels.FORMATS.values(), ids=labels.FORMATS)
def test_complicate_input_asks_for_the_format_and_repeats_it_in_the_open_label(data: str) -> None:
    prompt = render("depth/complicate_input.jinja", instruction="Q", data=data)

    assert lines(prompt)[-1] == labels.rewritten_with(data)
    assert lines(prompt)[-3:-1] == [labels.GIVEN, "Q"]
    assert "more difficult" in prompt
    assert "table or a formula" in prompt
    assert "10 to 20 words" not in prompt


def test_complicate_input_demonstrates_every_format_once() -> None:
    shown = demonstrations()

    assert len(shown) == len(labels.FORMATS)
    for demonstration, data in zip(shown, labels.FORMATS.values(), strict=True):
        assert lines(demonstration)[1] == labels.GIVEN
        assert lines(demonstration)[3] == labels.rewritten_with(data)


def test_the_data_of_the_demonstrations_are_well_formed() -> None:
    assert len(ElementTree.fromstring(data_of(0))) == 3
    compile(data_of(2), "demonstration", "exec")
    assert {"family", "pantry"} < json.loads(data_of(5)).keys()
    page = HTMLParser()
    page.feed(data_of(3))
    page.close()
    assert "</html>" in data_of(3)
    assert data_of(4).startswith("find /var ")


def test_the_database_of_the_demonstration_can_be_built_and_asked() -> None:
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.executescript(data_of(1))
    assert connection.execute("SELECT count(*) FROM orders").fetchone() == (3,)
    connection.close()


def test_the_equality_judge_names_both_criteria_and_both_answers() -> None:
    prompt = render("judge/equality.jinja", first="A", second="B")

    for phrase in (
        "same constraints",
        "same requirements",
        "depth",
        "breadth",
        'only "Equal" or "Not Equal"',
    ):
        assert phrase in prompt
    shown = lines(prompt)
    assert shown[shown.index(labels.FIRST) + 1] == "A"
    assert shown[shown.index(labels.SECOND) + 1] == "B"
    assert shown[-1] == labels.JUDGEMENT


def test_the_difficulty_judge_asks_for_a_score_from_1_to_10_alone() -> None:
    prompt = render("judge/difficulty.jinja", instruction="Q")

    for phrase in ("difficult", "complex", "from 1 to 10", "score only"):
        assert phrase in prompt
    assert lines(prompt)[-1] == labels.SCORE


def test_the_training_texts_are_those_the_published_code_trains_on() -> None:
    head = "Below is an instruction that describes a task"
    ask = "Write a response that appropriately completes the request.\n\n### Instruction:\n"
    context = ", paired with an input that provides further context. "

    assert (
        render("dataset/wizardcoder.jinja", instruction="Sort.\n") == f"{head}. {ask}Sort.\n\n\n### Response:"
    )
    assert (
        render("dataset/alpaca_input.jinja", instruction="Sort.", input="3 1")
        == f"{head}{context}{ask}Sort.\n\n### Input:\n3 1\n\n### Response:"
    )


@pytest.mark.parametrize(
    "name", [f"depth/{name}.jinja" for name in DEPTH] + [f"code/{name}.jinja" for name in CODE]
)
@given(instruction=st.text())
@example(instruction="{{ instruction }}{% block x %}{# no #}<b>&amp;</b>")
@example(instruction="#Given Prompt#:\n#Rewritten Prompt#:\n")
@example(instruction="a\r\nb\x00\ud800\n")
def test_an_instruction_stands_byte_for_byte_between_the_last_two_labels(name: str, instruction: str) -> None:
    prompt = render(name, instruction=instruction)

    assert prompt.endswith(f"\n{labels.GIVEN}\n{instruction}\n{labels.REWRITTEN}")


@given(instruction=st.text())
@example(instruction="{{ 7 * 7 }}<br>\r\n")
def test_breadth_and_the_judge_hold_instructions_byte_for_byte(instruction: str) -> None:
    assert render("breadth.jinja", instruction=instruction).endswith(
        f"\n{labels.GIVEN}\n{instruction}\n{labels.CREATED}"
    )
    judged = render("judge/equality.jinja", first=instruction, second=instruction)
    assert f"{labels.FIRST}\n{instruction}\n{labels.SECOND}\n{instruction}\nAnswer only" in judged


def test_a_value_that_is_missing_is_an_error_and_not_an_empty_place() -> None:
    with pytest.raises(UndefinedError, match="second"):
        render("judge/equality.jinja", first="A")


def test_an_unknown_template_is_an_error() -> None:
    with pytest.raises(TemplateNotFound):
        render("depth/nothing.jinja")


def test_the_templates_lie_in_the_package_as_text() -> None:
    package = files("evolver_templates")

    for name in ("breadth.jinja", "depth/frame.jinja", "judge/equality.jinja", "dataset/wizardcoder.jinja"):
        assert package.joinpath(name).is_file()


@given(st.text())
@example("{{ instruction }}<&>\r\n")
def test_a_users_template_holds_the_instruction_byte_for_byte(instruction: str) -> None:
    assert (
        UserTemplate("A <b>\n{{ instruction }}!").render(instruction, Random(0)) == f"A <b>\n{instruction}!"
    )


def test_a_users_template_draws_from_the_generator_it_is_given() -> None:
    template = UserTemplate("{{ [1, 2, 3, 4, 5, 6, 7, 8] | random }} {{ instruction }}")

    drawn = {template.render("", Random(seed)) for seed in range(50)}
    assert len(drawn) == 8
    assert template.render("", Random(3)) == template.render("", Random(3))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ instruction }}\n{{ tone }}", "'tone'"),
        ("{{ instruction", "line 1"),
        ("{{ instruction }}\n{% fi %}", "line 2"),
        ("Rewrite it.", "never uses"),
        ("{{ instruction }}{{ lipsum() }}", "'lipsum'"),
        ("{{ instruction | shout }}", "shout"),
    ],
)
def test_a_users_template_that_cannot_work_is_refused_before_it_is_used(source: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UserTemplate(source)


def test_a_users_template_cannot_reach_into_python() -> None:
    template = UserTemplate("{{ instruction.__class__.__mro__ }}")

    with pytest.raises(Exception, match="unsafe"):
        template.render("x", Random(0))


def test_every_label_of_every_template_is_known() -> None:
    root = Path(str(files("evolver_templates")))
    prompts = [path.read_text("utf-8") for path in root.rglob("*.jinja")]
    standing = {label for text in prompts for label in re.findall(r"^(#[^#\n]+#)", text, re.MULTILINE)}
    assert standing >= {"#Method#", "#Given Prompt#", "#Your Judgement#", "#Score#"}
    assert standing <= set(prompt_labels())
