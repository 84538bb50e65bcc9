from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evolver.elimination.built_in import BUILT_IN
from evolver.elimination.copied_prompt import copied_prompt
from evolver.elimination.no_information_gain import no_information_gain
from evolver.elimination.only_stop_words import STOP_WORDS, only_stop_words
from evolver.elimination.refusal import make_refusal, refusal
from evolver.elimination.rules import load_rules
from evolver.elimination.truncated import truncated
from evolver.elimination.verdict import Candidate, Drop
from evolver_templates import prompt_labels


def answered(response: str, **more: str) -> Candidate:
    return Candidate("Name a city.", "Name a city on a river.", response, **more)  # type: ignore[arg-type]


def rewritten(instruction: str, parent: str = "Sort a list.", *markers: str) -> Candidate:
    return Candidate(parent, instruction, markers=markers)


# no_information_gain


@pytest.mark.parametrize("same", ["Sort a list.", "SORT a\n\tLIST. ", "  sort A list.\r\n"])
def test_a_rewrite_that_differs_in_case_and_white_space_gains_nothing(same: str) -> None:
    drop = no_information_gain(rewritten(same))

    assert drop == Drop(
        "no_information_gain", "the rewrite's 3 words are its parent's, case and white space aside"
    )


@pytest.mark.parametrize(
    "other", ["Sort a list!", "Sort alist.", "Sort a list. Twice.", "Now sort a list.", "並べて"]
)
def test_any_other_difference_is_for_the_judge(other: str) -> None:
    assert no_information_gain(rewritten(other)) is None


@pytest.mark.parametrize("blank", ["", " \n", "\u200b", "\ufeff\u200e \t"])
def test_a_rewrite_nobody_can_see_is_empty(blank: str) -> None:
    drop = no_information_gain(rewritten(blank))

    assert drop == Drop("no_information_gain", "the rewrite is empty")


def test_an_empty_rewrite_the_provider_refused_says_so() -> None:
    drop = no_information_gain(Candidate("Sort a list.", "", refused="I will not."))

    assert drop is not None
    assert "refused" in drop.reason


@given(st.text(min_size=1).filter(lambda text: any(sign.isalnum() for sign in text)))
@example("ẞtraße ΌΣΟΣ")
def test_a_rewrite_equal_to_its_parent_always_dies(text: str) -> None:
    assert no_information_gain(rewritten(f"\n{text} ", text)) is not None


# copied_prompt


@pytest.mark.parametrize("phrase", ["given prompt", "rewritten prompt", "created prompt", "new prompt"])
@pytest.mark.parametrize("dress", ["{}", "#{}#", "# {}:", "「{}」", "これは{}です", "{}s"])
def test_a_phrase_of_the_evolving_prompt_is_copied_in_any_dress(phrase: str, dress: str) -> None:
    for written in (
        phrase,
        phrase.upper(),
        phrase.title(),
        phrase.replace(" ", "  "),
        phrase.replace(" ", "\n"),
    ):
        drop = copied_prompt(rewritten(f"Improve {dress.format(written)} now."))

        assert drop is not None
        assert drop.rule == "copied_prompt"
        assert phrase in drop.reason


@pytest.mark.parametrize(
    "lives",
    [
        "Renew prompts",
        "Act in a new promptly way",
        "a new, prompt answer",
        "Prompt the given user",
        "反given promptx",
    ],
)
def test_words_that_only_look_like_a_phrase_live(lives: str) -> None:
    assert copied_prompt(rewritten(lives)) is None


def test_a_phrase_that_stands_in_the_parent_is_not_copied() -> None:
    parent = "Explain what a new prompt in a shell is."

    assert copied_prompt(rewritten("Explain, for zsh, what a #New  Prompt# in a shell is.", parent)) is None
    assert copied_prompt(rewritten("Explain new prompts in zsh.", parent)) is None
    assert copied_prompt(rewritten("Explain the given prompt and a new prompt.", parent)) is not None


def test_a_mutators_own_markers_are_phrases_too() -> None:
    assert copied_prompt(rewritten("Solve the knotty  TASK: sort.", "Sort.", "#Knotty Task#")) is not None
    assert copied_prompt(rewritten("Solve the task.", "Sort.", "#Knotty Task#")) is None
    assert copied_prompt(rewritten("Begin <<EVOLVED>> sort.", "Sort.", "<<evolved>>")) is not None
    assert copied_prompt(rewritten("Sort.", "Sort", " ", "#")) is None


# refusal


@given(st.integers(0, 200))
@example(78)
@example(79)
def test_an_apology_is_dropped_exactly_below_80_words(padding: int) -> None:
    verdict = refusal(answered("Sorry " + "word " * padding))

    assert isinstance(verdict, Drop) == (padding + 1 < 80)


@given(st.integers(0, 200))
@example(78)
@example(79)
def test_an_apology_in_front_of_japanese_is_dropped_exactly_below_80_words(padding: int) -> None:
    verdict = refusal(answered("sorry" + "語" * padding))

    assert isinstance(verdict, Drop) == (padding + 1 < 80)


def test_words_are_counted_across_lines() -> None:
    """Splitting at spaces alone sees one word in 80 lines."""
    assert refusal(answered("\n".join(["Sorry"] + ["line"] * 79))) is None
    assert refusal(answered("\n".join(["Sorry"] + ["line"] * 78))) is not None


@pytest.mark.parametrize(
    "said", ["I'm SORRY, no.", "sorry", "**Sorry!**", "sorryです", "…sorry…", "Sorry\u00a0no"]
)
def test_the_word_is_found_in_any_case_and_next_to_any_sign(said: str) -> None:
    drop = refusal(answered(said))

    assert drop is not None
    assert "'sorry' in " in drop.reason


@pytest.mark.parametrize("said", ["Sorrynotsorry", "unsorry", "sorryx", "sorry_flag = 1", "A sorrow.", ""])
def test_a_longer_word_is_no_apology(said: str) -> None:
    assert refusal(answered(said)) is None


def test_the_reason_holds_the_measured_words() -> None:
    assert refusal(answered("Sorry, I cannot draw.")) == Drop(
        "refusal", "the response says 'sorry' in 4 words, fewer than 80"
    )


def test_only_the_response_is_read() -> None:
    """An instruction may well ask for an apology."""
    assert refusal(Candidate("Write.", "Write a letter that says sorry.", "Dear Ann, forgive me.")) is None
    assert refusal(Candidate("Write.", "Write a letter that says sorry.")) is None


@pytest.mark.parametrize(
    "said", ["申し訳ありませんが、できません。", "Lo  SIENTO.", "Désolé !", "I can’t do that."]
)
def test_other_words_for_sorry_are_a_setting(said: str) -> None:
    more = make_refusal(["申し訳", "lo siento", "désolé", "I can't"])

    assert refusal(answered(said)) is None
    assert more(answered(said)) is not None
    assert more(answered("Sorry.")) is not None


def test_a_phrase_is_found_whichever_apostrophe_it_has() -> None:
    for phrase in ("I can't", "I can’t"):
        assert make_refusal([phrase])(answered("I can't.")) is not None
        assert make_refusal([phrase])(answered("I can’t.")) is not None


@pytest.mark.parametrize(("padding", "dies"), [(76, True), (77, False)])
def test_a_japanese_apology_is_measured_in_characters(padding: int, dies: bool) -> None:
    verdict = make_refusal(["申し訳"])(answered("申し訳。" + "語" * padding))

    assert isinstance(verdict, Drop) == dies


def test_a_response_the_provider_marks_as_refused_dies_whatever_its_length() -> None:
    marked = refusal(Candidate("a", "b", "word " * 200, refused="I will not help with that."))
    ended = refusal(Candidate("a", "b", "No.", finish_reason="refusal"))

    assert marked == Drop(
        "refusal", "the provider marked the response as refused: 'I will not help with that.'"
    )
    assert ended == Drop("refusal", "the provider marked the response as refused: 'No.'")


# only_stop_words


@pytest.mark.parametrize(
    "dies", ["", " \n", "...", "。、！", "🙂", "It is what it is.", "I'M NOT", "Don’t.", "___", "No", "A"]
)
def test_a_response_without_a_word_of_its_own_dies(dies: str) -> None:
    drop = only_stop_words(answered(dies))

    assert drop is not None
    assert drop.rule == "only_stop_words"


@pytest.mark.parametrize("lives", ["42", "x = 1", "B", "Yes", "はい", "It is 7.", "नहीं", "①", "the cat", "π"])
def test_a_response_with_one_word_of_its_own_lives(lives: str) -> None:
    assert only_stop_words(answered(lives)) is None


def test_the_stop_words_are_the_179_of_nltk() -> None:
    assert len(STOP_WORDS) == 179
    assert {"i", "wouldn't", "y", "ma", "that'll", "against"} <= STOP_WORDS
    assert not {"yes", "b", "would", "cannot", "sorry"} & STOP_WORDS


def test_both_halves_of_every_contraction_are_stop_words() -> None:
    assert {half for word in STOP_WORDS for half in word.split("'")} <= STOP_WORDS


def test_the_reason_counts_the_stop_words() -> None:
    assert only_stop_words(answered("It is.")) == Drop(
        "only_stop_words", "the response has only stop words, 2 of 2"
    )
    assert only_stop_words(answered("?!")) == Drop("only_stop_words", "the response has no word")


def test_a_response_that_is_not_there_yet_is_not_empty() -> None:
    assert only_stop_words(rewritten("It is.")) is None


# truncated


def test_what_the_token_limit_cut_dies_with_its_length() -> None:
    cut = answered("one two three", finish_reason="length")

    assert truncated(cut) == Drop("truncated", "the response was cut by the token limit after 3 words")
    assert truncated(Candidate("a", "b c", finish_reason="length")) == Drop(
        "truncated", "the rewrite was cut by the token limit after 2 words"
    )


@pytest.mark.parametrize("reason", ["stop", "end_turn", "eos", ""])
def test_a_text_that_ended_by_itself_lives_though_it_stops_short(reason: str) -> None:
    assert truncated(answered("It happened in", finish_reason=reason)) is None


# all of them

TEXTS = st.text(max_size=200) | st.sampled_from(["sorry", "given prompt", "\ud800\0", "申し訳 sorry"])


@given(
    TEXTS,
    TEXTS,
    TEXTS | st.none(),
    st.sampled_from(["stop", "length", "refusal"]),
    st.lists(TEXTS, max_size=3),
)
@example("", "", "", "stop", [""])
@example("'", "’", "’s", "stop", ["’", "#", "((("])
def test_no_rule_breaks_on_any_text(
    parent: str, instruction: str, response: str | None, finish_reason: str, markers: list[str]
) -> None:
    candidate = Candidate(parent, instruction, response, finish_reason, markers=tuple(markers))
    for name, rule in BUILT_IN.items():
        drop = rule.check(candidate)
        assert drop is None or (drop.rule == name and drop.reason)


@given(st.lists(st.text(min_size=1).filter(lambda text: text.strip() != ""), min_size=1, max_size=3))
@example(["'"])
@example(["ẞ", "((", "a|b"])
def test_every_refusal_phrase_is_found_in_itself(phrases: list[str]) -> None:
    check = make_refusal(phrases)

    assert all(check(answered(f" {phrase} ")) is not None for phrase in phrases)


def test_whatever_a_rule_reads_an_english_answer_of_real_length_lives() -> None:
    rules = load_rules()
    candidate = answered("The Danube runs through Vienna, and that is worth a visit. " * 20)

    assert rules.check_instruction(candidate) is None
    assert rules.check_response(candidate) is None


@pytest.mark.parametrize("label", prompt_labels())
@pytest.mark.parametrize("form", ["#{}#", "#{}#:", "**#{}#**", "# {} #", "#{}:"])
def test_every_label_of_every_prompt_of_ours_is_a_phrase_that_must_not_show(label: str, form: str) -> None:
    shown = form.format(label.strip("#"))
    text = f"{shown}\nName three rivers and their capitals."
    assert isinstance(copied_prompt(Candidate("Name three rivers.", text)), Drop)
    assert copied_prompt(Candidate(f"Explain {shown}", text)) is None


@pytest.mark.parametrize("token", ["<|im_end|>", "</s>", "[/INST]", "<|eot_id|>", "<|im_start|>"])
def test_a_token_of_a_chat_template_is_a_death_unless_the_parent_holds_it(token: str) -> None:
    text = f"Explain what {token} does in detail."
    assert isinstance(copied_prompt(Candidate("Explain.", text)), Drop)
    assert copied_prompt(Candidate(f"What is {token}?", text)) is None
