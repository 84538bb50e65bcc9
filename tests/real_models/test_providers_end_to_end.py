"""Each SDK in a whole run, nothing patched; and what becomes of answers that are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_openai import ChatOpenAI

from benchmarks.llmsim.process import SimServer
from evolver import Evolution
from tests.real_models.conftest import KEY, Command

Ask = Callable[[str], list[dict[str, Any]]]


def test_a_run_through_the_anthropic_sdk_reaches_its_messages(
    evolve: Command, pool: Path, server: SimServer, ask_store: Ask
) -> None:
    model = ("--model", "anthropic:claude-haiku-3-5", "--limit", 10)
    done = evolve("--pool", pool, *model, ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=server.anthropic_base_url)
    assert done.returncode == 0
    assert server.stats()["by_path"] == {"/v1/messages": 120}
    assert ask_store("SELECT DISTINCT provider, model FROM calls") == [
        {"provider": "anthropic", "model": "anthropic:claude-haiku-3-5"}
    ]


def test_a_run_through_a_langchain_object_reaches_the_address_of_its_environment(
    options: dict[str, Any], server: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.openai_base_url)
    options |= {"base_url": None, "model": ChatOpenAI(model="gpt-4.1-mini"), "limit": 10}
    stats = Evolution(**options, confirm=True).run().stats
    assert (stats.attempts, stats.failed, stats.calls) == (40, 0, 120)
    assert server.stats()["by_path"] == {"/v1/chat/completions": 120}


def test_three_models_may_share_a_run_and_each_row_says_who_wrote_it(
    options: dict[str, Any], server: SimServer, ask_store: Ask
) -> None:
    options |= {"judge_model": "openai:gpt-4.1-nano", "answer_model": "openai:gpt-3.5-turbo", "limit": 5}
    Evolution(**options, epochs=1).run()
    found = ask_store("SELECT purpose, model, count(*) AS calls FROM calls GROUP BY 1, 2 ORDER BY 1")
    assert [(row["purpose"], row["model"], row["calls"]) for row in found] == [
        ("answer", "openai:gpt-3.5-turbo", 5),
        ("evolve", "openai:gpt-4.1-mini", 5),
        ("judge", "openai:gpt-4.1-nano", 5),
    ]
    assert {row["model"] for row in ask_store("SELECT model FROM instructions WHERE epoch = 1")} == {
        "openai:gpt-4.1-mini"
    }


def deaths(ask_store: Ask) -> Counter[tuple[str, str]]:
    rows = ask_store("SELECT status, rule FROM instructions WHERE status IN ('eliminated', 'failed')")
    return Counter((row["status"], row["rule"]) for row in rows)


def test_a_refusal_kills_by_its_rule_and_leaves_no_text(
    options: dict[str, Any], server: SimServer, ask_store: Ask
) -> None:
    server.configure(rate_refusal=0.2)
    Evolution(**options, epochs=2).run()
    found = deaths(ask_store)
    assert found.keys() == {("eliminated", "refusal")}
    assert found["eliminated", "refusal"] > 20
    texts = ask_store("SELECT response FROM survivors WHERE epoch > 0")
    assert not any("can't help with that" in row["response"] for row in texts)


def test_what_a_content_filter_stops_is_a_failed_attempt_with_its_name(
    options: dict[str, Any], server: SimServer, ask_store: Ask
) -> None:
    server.configure(rate_filter=0.2)
    Evolution(**options, epochs=2).run()
    found = deaths(ask_store)
    assert found.keys() == {("failed", "content_filter")}
    assert found["failed", "content_filter"] > 20


def test_an_empty_answer_is_never_a_survivor(
    options: dict[str, Any], server: SimServer, ask_store: Ask
) -> None:
    server.configure(rate_empty=0.2)
    Evolution(**options, epochs=2).run()
    assert set(deaths(ask_store)) == {
        ("eliminated", "only_stop_words"),
        ("eliminated", "no_information_gain"),
    }
    rows = ask_store("SELECT instruction, response FROM survivors WHERE epoch > 0")
    assert all(row["instruction"].strip() and row["response"].strip() for row in rows)


def test_a_cut_off_answer_is_asked_for_once_more_with_double_the_limit(
    options: dict[str, Any], server: SimServer, ask_store: Ask
) -> None:
    server.configure(rate_cutoff=0.3)
    Evolution(**options, epochs=2, judge=False, confirm=True).run()
    found = deaths(ask_store)
    assert found.keys() == {("eliminated", "truncated")}
    tries = ask_store(
        "SELECT root_id, epoch, purpose, count(*) AS calls, sum(finish_reason = 'length') AS cut "
        "FROM calls GROUP BY 1, 2, 3"
    )
    assert {(row["calls"], row["cut"]) for row in tries} == {(1, 0), (2, 1), (2, 2)}
    assert found["eliminated", "truncated"] == sum(row["cut"] == 2 for row in tries)
