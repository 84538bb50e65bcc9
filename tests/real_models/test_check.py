"""``evolve check``: each purpose is asked once, what came back is told, and nothing is kept."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from benchmarks.llmsim.process import SimServer
from evolver.check import Finding, judged
from tests.real_models.conftest import KEY, Command, Finished

MODEL = ("--model", "openai:gpt-4.1-mini")


def lines(done: Finished) -> dict[str, dict[str, Any]]:
    return {one["purpose"]: one for one in map(json.loads, done.stdout.splitlines())}


def checked(evolve: Command, address: str, *more: object, key: str = KEY) -> Finished:
    return evolve("check", *MODEL, "--base-url", address, "--json", *more, OPENAI_API_KEY=key)


def test_a_model_that_thinks_is_asked_once_for_each_purpose_and_nothing_is_written(
    evolve: Command, server: SimServer
) -> None:
    server.configure(dialect="vllm-think")

    done = checked(evolve, server.openai_base_url, "--price-in", 1, "--price-out", 2)

    found = lines(done)
    assert done.returncode == 0, done.stderr
    assert list(found) == ["evolve", "judge", "answer"]
    assert {one["reasoning"] for one in found.values()} == {"text"}
    assert found["judge"]["verdicts"] == {"equal": "not_equal", "unequal": "not_equal"}  # it draws
    assert {name: one["calls"] for name, one in found.items()} == {"evolve": 1, "judge": 2, "answer": 1}
    assert all(one["works"] and one["cost_usd"] > 0 and one["answered_by"] for one in found.values())
    assert server.stats()["requests"] == 4
    assert list(evolve.folder.iterdir()) == []


def test_reasoning_in_a_field_is_told_from_reasoning_in_the_text(evolve: Command, server: SimServer) -> None:
    server.configure(dialect="deepseek")
    found = lines(checked(evolve, server.openai_base_url))
    assert {one["reasoning"] for one in found.values()} == {"field"}
    assert all(one["reasoning_tokens"] > 0 for one in found.values())


def test_what_a_server_refuses_is_left_out_and_told(evolve: Command, server: SimServer) -> None:
    server.configure(dialect="groq")
    done = checked(evolve, server.openai_base_url)
    found = lines(done)
    assert done.returncode == 0
    assert any("top_p" in line for line in found["evolve"]["parameters"])
    assert "top_p" in done.stderr


def test_the_table_has_a_column_for_each_purpose(evolve: Command, server: SimServer) -> None:
    done = evolve("check", *MODEL, "--base-url", server.openai_base_url, OPENAI_API_KEY=KEY)
    head, *rest = (line.split("\t") for line in done.stdout.splitlines())
    assert head == ["", "evolve", "judge", "answer"]
    assert ["works", "yes", "yes", "yes"] in rest
    assert "4 calls answered" in done.stderr


def test_without_the_judge_it_is_not_asked(evolve: Command, server: SimServer) -> None:
    assert list(lines(checked(evolve, server.openai_base_url, "--no-judge"))) == ["evolve", "answer"]


def test_the_first_row_of_the_pool_is_what_is_asked(evolve: Command, server: SimServer) -> None:
    (evolve.folder / "pool.json").write_text(
        '[{"instruction": "Name a river."}, {"instruction": "Name a lake."}]'
    )
    server.configure(style="echo")
    done = checked(evolve, server.openai_base_url, "--pool", "pool.json")
    assert lines(done)["answer"]["prompt_tokens"] < 20


@pytest.mark.parametrize(
    ("settings", "key", "cause", "mend"),
    [
        ({"require_key": KEY}, "sk-wrong-987654321", "answered 401", "Look at the key in OPENAI_API_KEY"),
        ({"quota_exhausted": True}, KEY, "insufficient_quota", "Top up the account"),
        ({"forbidden": True}, KEY, "answered 403", "the key's rights"),
        ({"rate_malformed": 1.0}, KEY, "not JSON", "the address is that of the API itself"),
    ],
)
def test_what_cannot_work_is_told_with_cause_and_mend_and_the_exit_is_1(
    evolve: Command, server: SimServer, settings: dict[str, Any], key: str, cause: str, mend: str
) -> None:
    server.configure(**settings)
    done = checked(evolve, server.openai_base_url, key=key)
    assert done.returncode == 1
    for one in lines(done).values():
        assert not one["works"]
        assert cause in one["problem"]
        assert mend in one["problem"]
        assert "The run" not in one["problem"]
    assert "evolve and judge and answer cannot work" in done.stderr


def test_an_address_without_v1_is_told_in_one_call_for_each_purpose(
    evolve: Command, server: SimServer
) -> None:
    done = checked(evolve, server.url + "/api")
    assert done.returncode == 1
    assert all(f"try {server.url}/api/v1" in one["problem"] for one in lines(done).values())
    assert server.stats()["requests"] <= 4


def test_a_dead_address_and_a_key_that_is_not_set_are_told(evolve: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        done = checked(evolve, f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
    assert done.returncode == 1
    assert "nothing listens at 127.0.0.1:" in done.stderr
    without = evolve("check", *MODEL)
    assert without.returncode == 1
    assert "OPENAI_API_KEY is not set" in without.stderr


@pytest.mark.parametrize(
    ("equal", "unequal", "problem"),
    [
        ("equal", "not_equal", None),
        ("not_equal", "not_equal", None),
        ("undecided", "undecided", "neither Equal nor Not Equal"),
        ("equal", "equal", "every rewrite would die"),
    ],
)
def test_a_judge_that_cannot_tell_is_one_that_cannot_work(
    equal: str, unequal: str, problem: str | None
) -> None:
    found = Finding("judge", "openai:m", None, verdicts={"equal": equal, "unequal": unequal})
    judged(found)
    assert (found.problem is None) == (problem is None)
    assert problem is None or problem in str(found.problem)
    assert bool(found.notes) == ((equal, unequal) == ("not_equal", "not_equal"))
