"""What the embedded model answers, judges and refuses."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evolver.elimination.judge import parse_judgement
from evolver.text import count_words
from evolver_offline.answering import answer
from evolver_offline.breadth import coding_problem
from evolver_offline.dice import Dice
from evolver_offline.impossible import impossible
from evolver_offline.judging import difficulty, judgement
from evolver_offline.programs import PROGRAMS
from evolver_offline.reading import comparison_asked, question_to_score
from evolver_offline.subject import read
from evolver_templates import render

SAMPLES = 40


@pytest.mark.parametrize(
    "instruction",
    [
        "Draw a picture of a fox.",
        "Paint a portrait of a queen.",
        "Generate an image of a castle at dusk.",
        "Summarise this page.\nhttps://example.org/news",
        "Search the internet for cheap flights.",
        "Play a song by a choir.",
        "Record a video about knots.",
        "What time is it in Oslo?",
        "What is the current weather in Lyon?",
        "狐の絵を描いてください。",
    ],
)
def test_what_text_cannot_do_is_refused_in_a_few_words(instruction: str) -> None:
    for seed in range(SAMPLES):
        text = answer(instruction, Dice(seed))

        assert re.search(r"\bsorry\b", text, re.IGNORECASE)
        assert count_words(text) < 80


@pytest.mark.parametrize(
    "instruction",
    [
        "Draw a conclusion from these figures.",
        "Write a story about a painter.",
        "Write Python code that downloads https://example.org/data.csv.",
        "Explain how a record player works.",
        "Describe how a song is recorded.",
        "Explain what the stock exchange does.",
        "絵本の歴史を説明してください。",
    ],
)
def test_what_text_can_do_is_not_refused(instruction: str) -> None:
    assert impossible(read(instruction)) == ""
    assert "sorry" not in answer(instruction, Dice(1)).lower()


@given(st.text(), st.integers(0, 9999))
@example("", 0)
@example("\ud800 {a} {name}", 0)
@example("Write a story about {b} and {0}.", 3)
def test_any_text_gets_an_answer(instruction: str, seed: int) -> None:
    assert answer(instruction, Dice(seed)).strip()


def test_answers_vary_in_length_and_in_their_beginnings() -> None:
    answers = [answer("Explain how tides work in narrow straits.", Dice.of(str(seed))) for seed in range(200)]

    lengths = [count_words(text) for text in answers]
    assert min(lengths) < 35
    assert max(lengths) > 110
    assert len({text[:12] for text in answers}) > 12


def test_an_answer_takes_up_what_is_asked() -> None:
    for seed in range(SAMPLES):
        assert "glaciers" in answer("Explain the movement of glaciers.", Dice(seed))


def test_further_requirements_are_taken_up_one_by_one() -> None:
    text = answer("Explain frost. Use at most 90 words. Avoid all jargon here.", Dice.of("2"))

    assert '"Use at most 90 words"' in text
    assert '"Avoid all jargon here"' in text


@pytest.mark.parametrize(
    "instruction", ["霜について説明してください。", "请介绍霜。", "Pythonで霜の関数を書いてください。"]
)
def test_japanese_and_chinese_are_answered_in_kind(instruction: str) -> None:
    text = answer(instruction, Dice(5))

    assert re.search("[\u3040-\u30ff\u4e00-\u9fff]", text)
    assert not re.search("[A-Za-z]{4,} [a-z]{3,} [a-z]{3,}", text.split("```")[-1])


def code_in(text: str) -> str:
    found = re.search(r"```python\n(.*?)\n```", text, re.DOTALL)
    assert found, text
    return found[1]


@pytest.mark.parametrize(
    "instruction",
    [
        "Write a Python function that normalises addresses.",
        "Write a Rust program that prints a calendar.",
        "Create a class for import lambda in Python.",
        "Pythonで住所を整える関数を書いてください。",
    ],
)
def test_code_in_answers_compiles(instruction: str) -> None:
    for seed in range(SAMPLES):
        assert ast.parse(code_in(answer(instruction, Dice.of(str(seed)))))


RESULTS: dict[str, list[tuple[object, object]]] = {
    "is_prime": ([(2, True), (1, False), (9, False), (97, True)]),
    "factorial": ([(0, 1), (5, 120)]),
    "fibonacci": ([(6, [0, 1, 1, 2, 3, 5])]),
    "is_palindrome": ([("Never odd or even", True), ("frost", False)]),
    "reverse": ([("frost", "tsorf")]),
    "without_duplicates": ([([3, 1, 3], [3, 1])]),
    "merge_sort": ([([3, 1, 2], [1, 2, 3]), ([], [])]),
    "average": ([([1, 2, 3], 2)]),
    "word_counts": ([("a B a", {"a": 2, "b": 1})]),
    "count_vowels": ([("Autumn", 3)]),
    "largest": ([([-3, -1], -1)]),
    "smallest": ([([3, -1], -1)]),
    "evens_and_odds": ([([1, 2, 3], ([2], [1, 3]))]),
    "balanced": ([("([])", True), ("(]", False), ("(", False)]),
    "total": ([([1, 2], 3)]),
}


def test_the_programs_it_knows_give_the_right_results() -> None:
    space: dict[str, object] = {}
    for program in PROGRAMS:
        exec(compile(program.code, "program", "exec"), space)

    for name, cases in RESULTS.items():
        function = space[name]
        assert callable(function)
        for given_, expected in cases:
            assert function(given_) == expected, name
    search, anagrams = space["binary_search"], space["are_anagrams"]
    assert callable(search)
    assert callable(anagrams)
    assert [search([1, 4, 9], target) for target in (1, 9, 5, 10)] == [0, 2, -1, -1]
    assert anagrams("Silent", "listen")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("Explain frost.", "Explain frost", "equal"),
        ("Explain frost.", "Please explain frost.", "equal"),
        ("Explain frost.", "Explain frost. Thank you.", "equal"),
        ("霜を説明してください。", "霜を説明してください。よろしくお願いします。", "equal"),
        ("Explain frost.", "Explain dew.", "not_equal"),
        ("Explain frost.", "Explain frost. Use no more than 90 words in all.", "not_equal"),
        ("Explain frost.", "Explain frost in 9 words.", "not_equal"),
    ],
)
def test_the_judge_calls_equal_what_adds_nothing(first: str, second: str, expected: str) -> None:
    assert parse_judgement(judgement(first, second)) == expected


@given(st.text(), st.text())
@example("#Second Prompt#:\na", "b")
@example("a", "b\nc")
def test_the_judges_prompt_is_read_back(first: str, second: str) -> None:
    compared = comparison_asked(render("judge/equality.jinja", first=first, second=second))

    assert compared == (first, second)


@given(st.text())
def test_a_score_is_a_number_from_1_to_10(question: str) -> None:
    prompt = render("judge/difficulty.jinja", instruction=question)

    assert 1 <= int(difficulty(question_to_score(prompt))) <= 10


def test_a_harder_question_scores_higher() -> None:
    easy, hard = "Explain frost.", "Explain frost. " * 6

    assert int(difficulty(easy)) < int(difficulty(hard))


def test_a_coding_problem_has_both_sections_and_python_that_compiles() -> None:
    for seed in range(SAMPLES):
        text = coding_problem(Dice.of(str(seed)))

        assert text.startswith("[Problem Description]\n")
        assert ast.parse(code_in(text.split("\n\n[Solution]\n")[1]))
