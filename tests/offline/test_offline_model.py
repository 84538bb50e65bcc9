"""The embedded model as an engine meets it: deterministic, honest, and mortal in known shares."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evolver.elimination.judge import parse_judgement
from evolver.elimination.rules import load_rules
from evolver.elimination.verdict import Candidate
from evolver.models.protocol import Completion, Model, Purpose, Request, Sampling
from evolver_mutators import WIZARDLM
from evolver_offline import OfflineModel
from evolver_offline.data import table
from evolver_templates import render

PURPOSES: tuple[Purpose, ...] = ("evolve", "judge", "answer", "oss")
RULES = {"no_information_gain", "copied_prompt", "refusal", "only_stop_words", "truncated"}


def test_it_says_what_it_is() -> None:
    model = OfflineModel()

    assert isinstance(model, Model)
    assert (model.name, model.provider, model.local) == ("offline/1", "offline", True)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_equal_requests_are_answered_equally(
    purpose: Purpose, instructions: list[str], complete: Callable[..., Completion]
) -> None:
    for instruction in instructions[:20]:
        assert complete(purpose, instruction) == complete(purpose, instruction)


def test_another_sample_is_answered_otherwise(complete: Callable[..., Completion]) -> None:
    answers = {complete("answer", "Explain frost.", f"{epoch}.1").text for epoch in range(10)}

    assert len(answers) > 8


def test_answers_do_not_depend_on_the_process() -> None:
    program = (
        "import asyncio\n"
        "from evolver_offline import OfflineModel\n"
        "from evolver.models.protocol import Request, Sampling\n"
        "for text in ('Explain frost.', 'Draw me a map, what time is it?', 'Write a poem about the first frost.'):\n"
        "    print(asyncio.run(OfflineModel().complete(Request('answer', text, Sampling(), '1.1'))))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(outputs) == 1


def test_the_answer_does_not_depend_on_the_token_limit() -> None:
    """So a cut answer is cut again when it is asked for with double the limit."""

    async def ask(limit: int) -> Completion:
        return await OfflineModel().complete(Request("answer", "Explain.", Sampling(max_tokens=limit), "1"))

    assert asyncio.run(ask(10)) == asyncio.run(ask(4096))


def test_other_tasks_run_between_its_calls() -> None:
    turns: list[str] = []

    async def ask() -> None:
        for _ in range(3):
            await OfflineModel().complete(Request("judge", "Explain.", Sampling(), "1"))
            turns.append("model")

    async def tick() -> None:
        for _ in range(3):
            turns.append("other")
            await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(ask(), tick())

    asyncio.run(both())
    assert turns[:3] != ["model", "model", "model"]


@given(st.sampled_from(PURPOSES), st.text(), st.text(max_size=5))
@example("judge", "", "")
@example("judge", "#Score#:", "")
@example("judge", "#Second Prompt#:#First Prompt#:\n#Your Judgement#:", "")
@example("evolve", "#Rewritten Prompt#:", "")
@example("evolve", "\n#Given Prompt#:\n#Created Prompt#:", "")
@example("answer", "\ud800\x00", "\ud800")
def test_no_prompt_makes_it_fail(purpose: Purpose, prompt: str, sample: str) -> None:
    completion = asyncio.run(OfflineModel().complete(Request(purpose, prompt, Sampling(), sample)))

    assert completion.finish_reason in ("stop", "length")
    assert completion.prompt_tokens == len(prompt) // 4


async def fate(instruction: str, sample: str) -> str:
    """Evolve an instruction once as the engine does: the rule it dies by, or nothing."""
    model, rng, rules = OfflineModel(), Random(f"{instruction}{sample}"), load_rules([])
    mutator = rng.choice(WIZARDLM)
    prompt = mutator.prompt(instruction, rng).text
    completion = await model.complete(Request("evolve", prompt, Sampling(), sample))
    evolved = mutator.parse(completion.text)
    drop = rules.check_instruction(
        Candidate(instruction, evolved, finish_reason=completion.finish_reason, markers=mutator.markers)
    )
    if drop:
        return drop.rule
    question = render("judge/equality.jinja", first=instruction, second=evolved)
    verdict = await model.complete(Request("judge", question, Sampling(), sample))
    if parse_judgement(verdict.text) == "equal":
        return "judged equal"
    answered = await model.complete(Request("answer", evolved, Sampling(), sample))
    drop = rules.check_response(
        Candidate(instruction, evolved, answered.text, answered.finish_reason, markers=mutator.markers)
    )
    return drop.rule if drop else ""


def test_between_5_and_20_percent_die_and_every_rule_is_seen(instructions: list[str]) -> None:
    async def fates() -> Counter[str]:
        return Counter([await fate(text, f"{epoch}.1") for text in instructions for epoch in range(40)])

    counted = asyncio.run(fates())
    total = sum(counted.values())

    assert set(counted) == RULES | {"judged equal", ""}
    assert 0.05 < 1 - counted[""] / total < 0.20
    for rule in RULES:
        assert 0.001 < counted[rule] / total < 0.08, rule


def test_the_example_pool_is_varied(instructions: list[str]) -> None:
    japanese = [text for text in instructions if any("\u3040" <= sign <= "\u30ff" for sign in text)]

    assert len(instructions) >= 60
    assert len(japanese) >= 5
    assert sum("\n" in text for text in instructions) >= 15


def test_its_record_is_read_without_its_lists_of_words() -> None:
    program = (
        "import sys; from evolver_offline.record import OFFLINE;"
        "print(OFFLINE.prefix, 'evolver_offline.model' in sys.modules, 'evolver_offline.data' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "offline False False\n"


def test_its_words_and_programs_are_files_that_are_read_once() -> None:
    words, programs = table("words"), table("programs")
    assert table("words") is words
    assert words.texts("CJK_FEW") == ("三", "四", "五")
    assert {row["note"][-1] for row in programs.rows("PROGRAMS")} == {"."}
