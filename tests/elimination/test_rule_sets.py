from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from evolver.elimination.built_in import BUILT_IN
from evolver.elimination.rules import RuleSet, load_rules
from evolver.elimination.verdict import Candidate, Drop, rule
from evolver.errors import PluginError

DEFAULT = {
    "truncated",
    "no_information_gain",
    "copied_prompt",
    "about_rewriting",
    "missing_material",
    "refusal",
    "only_stop_words",
    "only_repeats",
}


def names(rules: RuleSet) -> list[str]:
    return list(dict.fromkeys(rule.name for rule in (*rules.instruction_rules, *rules.response_rules)))


def too_short(candidate: Candidate) -> Drop | None:
    return Drop("too_short", "short") if len(candidate.response or "") < 5 else None


@rule(reads="instruction", name="no_haiku")
def check_for_poems(candidate: Candidate) -> Drop | None:
    return Drop("no_haiku", "asks for a haiku") if "haiku" in candidate.instruction else None


class Longer:
    """A rule with a limit, which its digest must know."""

    name = "longer"
    reads = "instruction"

    def __init__(self, words: int = 3) -> None:
        self.words = words

    def __call__(self, candidate: Candidate) -> Drop | None:
        return Drop("longer", "too long") if len(candidate.instruction.split()) > self.words else None


def test_without_a_wish_the_default_rules_hold() -> None:
    rules = load_rules()

    assert set(names(rules)) == DEFAULT == {name for name, rule in BUILT_IN.items() if rule.default}
    assert [one.name for one in rules.instruction_rules] == [
        "truncated",
        "no_information_gain",
        "copied_prompt",
        "about_rewriting",
        "missing_material",
    ]
    assert [one.name for one in rules.response_rules] == [
        "truncated",
        "refusal",
        "only_stop_words",
        "only_repeats",
    ]
    assert rules.judge


def test_rules_of_ones_own_are_added_to_the_five() -> None:
    rules = load_rules([too_short, check_for_poems])

    assert set(names(rules)) == DEFAULT | {"too_short", "no_haiku"}
    assert rules.check_instruction(Candidate("a", "write a haiku")) == Drop("no_haiku", "asks for a haiku")
    assert rules.check_response(Candidate("a", "b", "four")) == Drop("too_short", "short")


def test_rules_that_are_off_are_added_by_their_names_and_all_of_them_by_one_word() -> None:
    assert set(names(load_rules(["answer_given"]))) == DEFAULT | {"answer_given"}
    assert set(names(load_rules(["all"]))) == set(BUILT_IN)
    assert set(names(load_rules(["all"], skip=["refusal"]))) == set(BUILT_IN) - {"refusal"}


def test_the_rule_on_length_takes_a_number_and_no_other_does() -> None:
    candidate = Candidate("one two", "word " * 101)

    assert load_rules(["longer_than_parent=60"]).check_instruction(candidate) is None
    drop = load_rules(["longer_than_parent=50"]).check_instruction(candidate)
    assert drop is not None
    assert drop.rule == "longer_than_parent"
    assert load_rules(["longer_than_parent=50"]).digest() != load_rules(["longer_than_parent"]).digest()
    for spec in ("longer_than_parent=1", "longer_than_parent=x", "refusal=3"):
        with pytest.raises(PluginError, match="says nothing"):
            load_rules([spec])


def test_naming_built_in_rules_keeps_only_those() -> None:
    rules = load_rules(["refusal", too_short])

    assert names(rules) == ["refusal", "too_short"]
    assert not rules.judge


def test_a_rule_left_out_is_not_asked() -> None:
    candidate = Candidate("a", "b", "Sorry, there is no river here.")

    assert load_rules().check_response(candidate) is not None
    assert load_rules(skip=["refusal"]).check_response(candidate) is None


def test_without_no_information_gain_the_judge_is_not_asked() -> None:
    rules = load_rules(skip=["no_information_gain"])

    assert not rules.judge
    assert rules.check_instruction(Candidate("Sort it.", "sort it.")) is None


def test_an_empty_rewrite_never_lives() -> None:
    drop = load_rules(skip=sorted(DEFAULT)).check_instruction(Candidate("Sort it.", " \n"))

    assert drop == Drop("no_information_gain", "the rewrite is empty")


def test_what_the_limit_cut_is_judged_by_nothing_else() -> None:
    """A model that thinks its limit away returns nothing: that is a cut, not an empty answer."""
    rules = load_rules()
    cut_rewrite = rules.check_instruction(Candidate("a", "", finish_reason="length"))
    cut_answer = rules.check_response(Candidate("a", "b", "", finish_reason="length"))

    assert cut_rewrite is not None
    assert cut_rewrite.rule == "truncated"
    assert cut_answer is not None
    assert cut_answer.rule == "truncated"


def test_a_rule_is_loaded_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from evolver.elimination.verdict import Drop\n"
        "LIMIT = 2\n"
        "class Terse:\n"
        "    reads = 'instruction'\n"
        "    name = 'terse'\n"
        "    def __call__(self, candidate):\n"
        "        words = len(candidate.instruction.split())\n"
        "        return Drop('terse', f'{words} words') if words < LIMIT else None\n"
    )
    rules = load_rules([f"{file}:Terse"])

    assert rules.check_instruction(Candidate("a b c", "one")) == Drop("terse", "1 words")
    assert rules.instruction_rules[-1].owner == f"{file}:Terse"


@pytest.mark.parametrize(
    ("specs", "skip", "said"),
    [
        (["refusals"], [], "Did you mean 'refusal'"),
        ([], ["refusla"], "Did you mean 'refusal'"),
        ([too_short, partial(too_short)], ["partial"], None),
        (["default", "refusal"], [], "two rules are named 'refusal'"),
        ([too_short, rule(name="too_short")(partial(too_short))], [], "two rules are named 'too_short'"),
        ([3], [], "cannot be called"),
        ([lambda candidate: None], [], "no name"),
        ([rule(name="x")(lambda candidate: None)], [], None),
        ([rule(reads="reply")(partial(too_short))], [], "reads 'reply'"),  # type: ignore[call-overload]
        ("refusal", [], "must be a list"),
        ([], "refusal", "must be a list"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused_in_words(
    specs: list[str], skip: list[str], said: str | None
) -> None:
    if said is None:
        load_rules(specs, skip=skip)
        return
    with pytest.raises(PluginError, match=said) as refused:
        load_rules(specs, skip=skip)
    assert "nothing was run" in str(refused.value)


def test_a_name_taken_twice_names_both_owners() -> None:
    mine = rule(name="refusal")(partial(too_short))

    with pytest.raises(PluginError, match=r"one of evolver and one of .*partial"):
        load_rules([mine])
    assert names(load_rules(["truncated", mine])) == ["truncated", "refusal"]


def test_an_async_rule_is_refused_before_it_runs() -> None:
    async def slow(candidate: Candidate) -> None:
        raise AssertionError

    with pytest.raises(PluginError, match="is async"):
        load_rules([slow])


def test_a_rule_class_that_wants_arguments_is_refused() -> None:
    class Needy:
        def __init__(self, words: int) -> None:
            raise AssertionError

    with pytest.raises(PluginError, match="without arguments"):
        load_rules([Needy])


def test_a_rule_that_raises_stops_the_run_by_name() -> None:
    def clumsy(candidate: Candidate) -> Drop | None:
        return Drop("clumsy", candidate.response[99])  # type: ignore[index]

    with pytest.raises(PluginError, match=r"rule clumsy .* raised IndexError") as refused:
        load_rules([clumsy]).check_response(Candidate("a", "b", "a fine answer"))
    assert isinstance(refused.value.__cause__, IndexError)


@pytest.mark.parametrize("verdict", [True, False, "bad", Drop, Drop("x", 3)])  # type: ignore[arg-type]
def test_a_verdict_that_is_none_stops_the_run_by_name(verdict: object) -> None:
    def odd(candidate: Candidate) -> object:
        return verdict

    with pytest.raises(PluginError, match=r"rule odd .* neither a Drop nor None"):
        load_rules([odd]).check_response(Candidate("a", "b", "a fine answer"))


def test_refusal_phrases_reach_the_rule_and_the_digest() -> None:
    rules = load_rules(refusal_phrases=["désolé"])

    assert rules.check_response(Candidate("a", "b", "Désolé, impossible.")) is not None
    assert rules.digest() != load_rules().digest()


@pytest.mark.parametrize(
    ("phrases", "skip", "said"),
    [([" "], [], "blank"), ("désolé", [], "must be a list"), (["désolé"], ["refusal"], "left out")],
)
def test_phrases_of_no_use_are_refused(phrases: list[str], skip: list[str], said: str) -> None:
    with pytest.raises(PluginError, match=said):
        load_rules(skip=skip, refusal_phrases=phrases)


def test_equal_rules_have_an_equal_digest_and_others_another() -> None:
    digests = [
        load_rules().digest(),
        load_rules(skip=["refusal"]).digest(),
        load_rules([too_short]).digest(),
        load_rules([check_for_poems]).digest(),
        load_rules([Longer(3)]).digest(),
        load_rules([Longer(4)]).digest(),
        load_rules([too_short, check_for_poems]).digest(),
    ]

    assert len(set(digests)) == len(digests)
    assert load_rules(["default"]).digest() == digests[0]
    assert load_rules([Longer()]).digest() == digests[4]
