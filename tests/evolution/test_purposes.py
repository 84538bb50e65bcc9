"""What evolving, judging and answering are asked with, each for itself: from the settings to the request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evolver import Evolution, Request, mutator
from evolver.errors import PluginError, SettingsError
from evolver.models.protocol import Purpose
from evolver.plugins import load_mutators
from evolver.settings import load_settings

MakePool = Callable[..., Path]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def asked(model: Any, purpose: Purpose) -> list[Request]:
    found = [request for request in model.asked if request.purpose == purpose]
    assert found
    return found


def test_each_purpose_is_asked_as_its_own_settings_say(make_pool: MakePool, scripted: Any) -> None:
    model = scripted()
    Evolution(
        make_pool(4),
        model=model,
        epochs=1,
        store="a.db",
        output=None,
        system="Write German.",
        judge_system="Be strict.",
        judge_temperature=0.3,
        judge_reasoning_effort="low",
        answer_extra_body={"chat_template_kwargs": {"enable_thinking": False}},
        answer_max_tokens=99,
    ).run()

    evolving, judging, answering = (asked(model, purpose)[0] for purpose in ("evolve", "judge", "answer"))
    assert (evolving.system, judging.system, answering.system) == (
        "Write German.",
        "Be strict.",
        "Write German.",
    )
    assert [one.sampling.temperature for one in (evolving, judging, answering)] == [1.0, 0.3, 1.0]
    assert [one.sampling.max_tokens for one in (evolving, judging, answering)] == [2048, 2048, 99]
    assert [one.sampling.reasoning_effort for one in (evolving, judging, answering)] == [None, "low", None]
    assert evolving.sampling.extra_body is None
    assert answering.sampling.extra_body == {"chat_template_kwargs": {"enable_thinking": False}}


def test_the_judge_is_asked_at_temperature_0_unless_it_is_told_otherwise(
    make_pool: MakePool, scripted: Any
) -> None:
    model = scripted()
    Evolution(make_pool(4), model=model, epochs=1, store="a.db", output=None, temperature=0.9).run()
    assert {one.sampling.temperature for one in asked(model, "judge")} == {0.0}
    assert {one.sampling.top_p for one in asked(model, "judge")} == {None}


def test_a_name_of_a_run_changes_with_how_a_purpose_is_asked_and_with_nothing_else(
    make_pool: MakePool, scripted: Any
) -> None:
    pool = make_pool(4)

    def name(**options: Any) -> str:
        return Evolution(pool, model=scripted(), store="a.db", **options).plan().name

    plain = name()
    same: list[dict[str, Any]] = [
        {"judge_temperature": 0.0},
        {"answer_max_tokens": 2048},
        {"key_variable": None},
        {"extra_body": {}},
    ]
    assert {name(**options) for options in same} == {plain}
    others: list[dict[str, Any]] = [
        {"system": "Write German."},
        {"judge_temperature": 0.3},
        {"answer_top_p": 0.5},
        {"reasoning_effort": "low"},
        {"judge_reasoning_effort": "low"},
        {"extra_body": {"top_k": 20}},
        {"answer_extra_body": {"top_k": 20}},
    ]
    names = [name(**options) for options in others]
    assert len({plain, *names}) == 1 + len(others)


def test_a_run_is_not_gone_on_with_where_a_purpose_is_asked_otherwise(
    make_pool: MakePool, scripted: Any
) -> None:
    pool = make_pool(4)
    how: Any = {"epochs": 1, "store": "a.db", "output": None, "run": "mine"}
    Evolution(pool, model=scripted(), **how, judge_system="Be strict.").run()
    with pytest.raises(SettingsError, match=r"other settings \(asking\)"):
        Evolution(pool, model=scripted(), **how).run()


def test_the_system_text_of_a_purpose_stands_before_that_of_a_mutator(
    make_pool: MakePool, scripted: Any
) -> None:
    from evolver.plugins.protocol import Prompt

    @mutator(family="depth")
    def stricter(instruction: str) -> Prompt:
        return Prompt(f"Rewrite: {instruction}", system="You are strict.")

    model = scripted()
    Evolution(
        make_pool(4),
        model=model,
        mutators=[stricter],
        system="/no_think",
        epochs=1,
        store="a.db",
        output=None,
    ).run()
    assert {one.system for one in asked(model, "evolve")} == {"/no_think\n\nYou are strict."}
    assert {one.system for one in asked(model, "answer")} == {"/no_think"}


def test_a_mutator_draws_its_rewrites_as_it_says_and_nothing_else_is_drawn_so(
    make_pool: MakePool, scripted: Any, tmp_path: Path
) -> None:
    file = tmp_path / "calm.jinja"
    file.write_text("---\nsampling: {temperature: 0.2, max_tokens: 300}\n---\nRewrite: {{ instruction }}\n")
    model = scripted()
    Evolution(
        make_pool(4), model=model, mutators=[str(file)], epochs=1, store="a.db", output=None, answer_top_p=0.4
    ).run()
    drawn = {(one.sampling.temperature, one.sampling.max_tokens) for one in asked(model, "evolve")}
    assert drawn == {(0.2, 300)}
    assert {one.sampling.temperature for one in asked(model, "answer")} == {1.0}


def test_the_sampling_of_a_mutator_is_part_of_its_digest(tmp_path: Path) -> None:
    class Calm:
        name = "calm"

        def prompt(self, instruction: str) -> str:
            return instruction

    plain = load_mutators([Calm()])[0]
    calm = Calm()
    calm.sampling = {"temperature": 0.2}  # type: ignore[attr-defined]
    (changed,) = load_mutators([calm])
    assert changed.sampling == {"temperature": 0.2}
    assert changed.digest != plain.digest


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("sampling: hot", "sampling 'hot'"),
        ("sampling: {temprature: 1}", "'temperature'"),
        ("sampling: {temperature: 3}", "temperature cannot be 3"),
        ("sampling: {max_tokens: 0}", "max_tokens cannot be 0"),
        ("sampling: {top_p: .nan}", "top_p cannot be nan"),
    ],
)
def test_a_sampling_that_cannot_be_is_an_error_that_names_the_file(
    line: str, named: str, tmp_path: Path
) -> None:
    file = tmp_path / "odd.jinja"
    file.write_text(f"---\n{line}\n---\nRewrite: {{{{ instruction }}}}\n")
    with pytest.raises(PluginError, match=r"odd\.jinja") as refused:
        load_mutators([str(file)])
    assert named in str(refused.value)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('{"model": "x"}', "setting of its own"),
        ('{"temperature": 1}', "setting of its own"),
        ('{"stream": true}', "would not be read"),
        ('{"provider": {"api_key": "sk-hidden"}}', "holds a key"),
        ("[1]", "a table"),
    ],
)
def test_a_body_that_would_break_a_call_or_store_a_key_is_refused_unrepeated(body: str, why: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(pool="x", judge_extra_body=body)
    assert why in str(refused.value) or "JSON object" in str(refused.value)
    assert "sk-hidden" not in str(refused.value)


def test_a_block_of_the_file_asks_each_purpose_at_its_own_server_with_its_own_key(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("mine.toml").write_text(
        'model = "openai:a"\nbase_url = "http://localhost:1/v1"\n\n'
        '[judge]\nmodel = "openai:b"\nbase_url = "http://localhost:2/v1"\nkey_variable = "JUDGE_KEY"\n\n'
        '[answer]\nmodel = "anthropic:c"\nbase_url = "none"\n\n[answer.extra_body]\ntop_k = 20\n'
    )
    settings = load_settings("mine.toml", pool=str(make_pool(4)))
    plan = Evolution.of(settings).plan()
    assert {purpose: (who.name, who.base_url) for purpose, who in plan.identities.items()} == {
        "evolve": ("openai:a", "http://localhost:1/v1"),
        "judge": ("openai:b", "http://localhost:2/v1"),
        "answer": ("anthropic:c", "https://api.anthropic.com"),
    }
    assert plan.call_settings("answer").sampling.extra_body == {"top_k": 20}
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-answer")
    with pytest.raises(SettingsError, match="JUDGE_KEY is not set"):
        Evolution.of(settings).prepare()


def test_what_only_evolving_is_asked_is_asked_of_nobody_else(make_pool: MakePool) -> None:
    Path("mine.toml").write_text('model = "openai:a"\n[evolve]\nmodel = "openai:b"\n')
    plan = Evolution.of(load_settings("mine.toml", pool=str(make_pool(4)))).plan()
    assert [plan.specs[purpose] for purpose in ("evolve", "judge", "answer")] == [
        "openai:b",
        "openai:a",
        "openai:a",
    ]
