from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evolver.text import unwrap

LABELS = ("Rewritten Prompt", "Created Prompt")

INSIDES = st.text().map(lambda text: f"Write {text} now.").filter(lambda text: "```" not in text)


@pytest.mark.parametrize(
    "echoed",
    [
        "#Rewritten Prompt#: Write it.",
        "# Rewritten Prompt:\nWrite it.",
        "### **Rewritten Prompt:**\n\nWrite it.",
        "**Rewritten Prompt**: Write it.",
        "REWRITTEN  prompt：Write it.",
        "Rewritten Prompt (it MUST contain a table):\nWrite it.",
        "#Rewritten Prompt# (it MUST contain a table):\nWrite it.",
        "Rewritten Prompt\nWrite it.",
        "#Created Prompt#\nWrite it.",
        "Created Prompt: Rewritten Prompt: Write it.",
        '"#Rewritten Prompt#: Write it."',
        '#Rewritten Prompt#: "Write it."',
        "#Rewritten Prompt#:\n```text\nWrite it.\n```",
        "```\n#Rewritten Prompt#: Write it.\n```",
    ],
)
def test_a_label_goes_in_every_dress_a_model_puts_it_in(echoed: str) -> None:
    assert unwrap(echoed, *LABELS) == "Write it."


@pytest.mark.parametrize(
    "text",
    [
        "Rewritten prompts are the theme of this essay.",
        "Explain what #Rewritten Prompt#: means.",
        "Rewritten Promptly: a title",
        "A Rewritten Prompt: is it better?",
    ],
)
def test_words_that_are_no_label_at_the_start_stay(text: str) -> None:
    assert unwrap(text, *LABELS) == text


def test_a_label_goes_only_where_it_is_asked_for() -> None:
    assert unwrap("Rewritten Prompt: Write it.") == "Rewritten Prompt: Write it."


def test_a_directive_right_after_the_label_keeps_its_sign() -> None:
    assert unwrap("#Rewritten Prompt#:#include <stdio.h>", *LABELS) == "#include <stdio.h>"


@pytest.mark.parametrize(
    ("quoted", "inside"),
    [
        ('"Write it."', "Write it."),
        ("'Don't write it.'", "Don't write it."),
        ("“Write it.”", "Write it."),
        ("„Schreib es.“", "Schreib es."),
        ("«Écris.»", "Écris."),
        ("「東京の話を書いて」", "東京の話を書いて"),
        ("『「東京」の話』", "「東京」の話"),
        ('"Print "Hello" twice."', 'Print "Hello" twice.'),
        ('""', ""),
    ],
)
def test_quotes_around_the_whole_text_go(quoted: str, inside: str) -> None:
    assert unwrap(quoted) == inside


@pytest.mark.parametrize(
    "text",
    [
        '"a" and "b"',
        "'a' and 'b'",
        "“a” and “b”",
        "「東京」と「大阪」",
        '"""A docstring."""',
        '"a","b"',
        '"name": 1, "age": "2"',
        'Say "hello"',
        '"Print "Hello twice."',
        '"a"b"c"',
        '"',
        '"He said \\"no\\" to me"',
    ],
)
def test_quotes_that_do_not_wrap_the_whole_text_stay(text: str) -> None:
    assert unwrap(text) == text


@pytest.mark.parametrize("fence", ["```", "````", "~~~"])
@pytest.mark.parametrize("info", ["", "python", " json title=x"])
def test_a_fence_around_the_whole_text_goes_whatever_its_info_string(fence: str, info: str) -> None:
    assert unwrap(f"{fence}{info}\nx = 1\ny = 2\n{fence}") == "x = 1\ny = 2"


def test_the_first_line_in_a_fence_keeps_its_indentation() -> None:
    assert unwrap("```python\n\n    x = 1\ny = 2\n```\n") == "    x = 1\ny = 2"


@pytest.mark.parametrize(
    "text",
    [
        "```\na\n```\nand\n```\nb\n```",
        "Run this:\n```\na\n```",
        "```\na\n```\nWhat does it print?",
        "```\nno end",
        "```python\na\n```python\nb\n```",
    ],
)
def test_fences_that_do_not_wrap_the_whole_text_stay(text: str) -> None:
    assert unwrap(text) == text


def test_a_longer_fence_gives_up_the_shorter_one_inside_it_whole() -> None:
    assert unwrap("````\nRun:\n```python\nx\n```\n````") == "Run:\n```python\nx\n```"


@given(INSIDES)
@example("Write a\r\n\tb <c> & é 漢字 \u00a0 now.")
def test_the_inside_survives_byte_for_byte(inside: str) -> None:
    for wrapped in (inside, f" \n{inside}\n\n", f"#Rewritten Prompt#: {inside}", f"```text\n{inside}\n```"):
        assert unwrap(wrapped, *LABELS).encode("utf-8", "surrogatepass") == inside.encode(
            "utf-8", "surrogatepass"
        )


@given(st.text(alphabet=st.sampled_from(list("\"'“”「」#*:`~ \n\tab漢.")), max_size=40))
@example('"\'"a"\'"')
@example("```\n  a\n```")
def test_unwrapping_twice_is_unwrapping_once_but_for_indentation(text: str) -> None:
    once = unwrap(text, *LABELS)
    assert unwrap(once, *LABELS) == once.strip()


@given(st.text())
@example("")
@example("```")
@example("**Rewritten Prompt")
def test_what_is_left_is_a_part_of_what_came(text: str) -> None:
    assert unwrap(text, *LABELS) in text


@pytest.mark.parametrize(
    "sign", [*list("\"'`~#*「 (\n"), "“‘", "~\n", "#Rewritten Prompt", "Rewritten Prompt ("]
)
def test_a_hostile_text_is_done_in_linear_time(sign: str) -> None:
    """A quadratic step would take minutes here, and the suite's time limit would end it."""
    unwrap(sign * 200_000, *LABELS)
    unwrap(sign * 100_000 + "x" + sign[::-1] * 100_000, *LABELS)
