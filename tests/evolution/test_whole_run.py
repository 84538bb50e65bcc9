"""The main job from pool to dataset, with a model whose answers are known."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from evolver import Candidate, Drop, Evolution, EvolverError, Request, mutator, rule
from evolver.errors import AllFailedError, PluginError, PoolError, RowModelError, RunModelError, SettingsError
from evolver.events import AttemptEnded, Event
from evolver.settings import Options
from evolver_store.connect import reading

Rows = Callable[..., list[dict[str, Any]]]
MakePool = Callable[..., Path]


@pytest.fixture
def place(tmp_path: Path) -> Options:
    return {"store": str(tmp_path / "evolve.db"), "output": str(tmp_path / "evolved.jsonl")}


def test_every_lineage_makes_one_attempt_an_epoch_from_its_latest_survivor(
    make_pool: MakePool, scripted: Any, rows_of: Rows, store_url: str, tmp_path: Path
) -> None:
    Evolution(make_pool(), model=scripted(), epochs=4, store=store_url, output=None).run()

    rows = rows_of(store_url)
    heads = {row["id"]: row["id"] for row in rows if row["epoch"] == 0}
    assert len(heads) == 20
    assert Counter(row["epoch"] for row in rows) == dict.fromkeys(range(5), 20)
    for row in sorted(rows, key=lambda row: row["epoch"]):
        if row["epoch"]:
            assert row["parent_id"] == heads[row["root_id"]]
        if row["status"] == "survivor":
            heads[row["root_id"]] = row["id"]
    assert {row["status"] for row in rows} == {"seed", "survivor", "eliminated"}


def test_the_dataset_holds_every_seed_with_a_response_and_every_survivor(
    make_pool: MakePool, scripted: Any, rows_of: Rows, place: Options
) -> None:
    pool = make_pool()
    seeds = json.loads(pool.read_text())
    seeds[3]["output"] = ""
    pool.write_text(json.dumps(seeds))
    result = Evolution(pool, model=scripted(), epochs=3, store=place["store"], output=place["output"]).run()

    rows = rows_of(place["store"])
    expected = Counter(
        (row["instruction"], row["response"])
        for row in rows
        if row["status"] == "survivor" or (row["status"] == "seed" and row["response"])
    )
    written = [json.loads(line) for line in Path(str(place["output"])).read_text().splitlines()]
    assert Counter((row["instruction"], row["output"]) for row in written) == expected
    assert result.dataset is not None
    assert result.dataset.rows == len(written) == 19 + result.stats.survivors
    assert result.dataset.seeds_without_response == 1


def test_concurrency_changes_nothing_in_the_lineage(
    make_pool: MakePool, scripted: Any, rows_of: Rows, tmp_path: Path
) -> None:
    stores = []
    for concurrency, turns in ((1, 0), (7, 5), (256, 40)):
        store = str(tmp_path / f"{concurrency}.db")
        model = scripted(turns=turns)
        Evolution(make_pool(), model=model, store=store, output=None, concurrency=concurrency).run()
        assert model.most_in_flight <= concurrency
        stores.append(rows_of(store))
    assert stores[0] == stores[1] == stores[2]


def test_another_seed_draws_other_mutators(
    make_pool: MakePool, scripted: Any, rows_of: Rows, tmp_path: Path
) -> None:
    drawn = []
    for seed in (0, 1):
        store = str(tmp_path / f"{seed}.db")
        Evolution(make_pool(), model=scripted(), store=store, output=None, seed=seed).run()
        drawn.append([row["mutator"] for row in rows_of(store)])
    assert drawn[0] != drawn[1]


def test_the_same_command_again_asks_nothing_and_writes_the_same_dataset(
    make_pool: MakePool, scripted: Any, place: Options
) -> None:
    pool = make_pool()
    Evolution(pool, model=scripted(), store=place["store"], output=place["output"]).run()
    first = Path(str(place["output"])).read_bytes()
    again = scripted()
    Evolution(pool, model=again, store=place["store"], output=place["output"]).run()
    assert again.asked == []
    assert Path(str(place["output"])).read_bytes() == first


def test_more_epochs_go_on_where_the_run_stands(
    make_pool: MakePool, scripted: Any, rows_of: Rows, tmp_path: Path
) -> None:
    pool, grown, whole = make_pool(), str(tmp_path / "grown.db"), str(tmp_path / "whole.db")
    for epochs in (1, 3):
        result = Evolution(pool, model=scripted(), epochs=epochs, store=grown, output=None).run()
    Evolution(pool, model=scripted(), epochs=3, store=whole, output=None).run()
    assert result.stats.attempts == 60
    assert rows_of(grown) == rows_of(whole)


def test_fewer_epochs_write_the_generations_asked_for(
    make_pool: MakePool, scripted: Any, place: Options
) -> None:
    pool = make_pool()
    Evolution(pool, model=scripted(), epochs=3, store=place["store"], output=place["output"]).run()
    result = Evolution(pool, model=scripted(), epochs=1, store=place["store"], output=place["output"]).run()
    assert result.dataset is not None
    assert max(result.dataset.by_epoch) == 1


def test_a_dead_attempt_is_tried_again_at_once_with_another_mutator(
    make_pool: MakePool, scripted: Any, rows_of: Rows, place: Options
) -> None:
    class AlwaysSorry(scripted):  # type: ignore[misc]
        def text(self, request: Request) -> str:
            return "Sorry." if request.purpose == "answer" else super().text(request)

    Evolution(
        make_pool(5), model=AlwaysSorry(), epochs=2, attempts=3, store=place["store"], output=None
    ).run()

    rows = [row for row in rows_of(place["store"]) if row["epoch"]]
    assert len(rows) == 5 * 2 * 3
    for root in {row["root_id"] for row in rows}:
        for epoch in (1, 2):
            tries = [row for row in rows if (row["root_id"], row["epoch"]) == (root, epoch)]
            assert [row["attempt"] for row in tries] == [1, 2, 3]
            assert len({row["mutator"] for row in tries}) == 3


def test_calls_paid_for_are_shared_by_runs_that_differ_in_a_rule(
    make_pool: MakePool, scripted: Any, place: Options
) -> None:
    pool, first, second = make_pool(), scripted(), scripted()
    kept = Evolution(pool, model=first, store=place["store"], output=None).run()
    other = Evolution(pool, model=second, store=place["store"], output=None, skip_rules=("refusal",)).run()
    assert other.run != kept.run
    # What refusal killed now lives and is evolved further: only its descendants are new questions.
    paid = {(request.prompt, request.sample, request.sampling) for request in first.asked}
    assert not [
        request for request in second.asked if (request.prompt, request.sample, request.sampling) in paid
    ]
    assert len(second.asked) < len(first.asked) / 3


def test_no_cache_asks_again(make_pool: MakePool, scripted: Any, place: Options) -> None:
    pool, first, second = make_pool(), scripted(), scripted()
    Evolution(pool, model=first, store=place["store"], output=None, run="a").run()
    Evolution(pool, model=second, store=place["store"], output=None, run="b", cache=False).run()
    assert len(second.asked) == len(first.asked)


def test_a_truncated_completion_is_asked_for_once_more_with_double_the_limit(
    make_pool: MakePool, scripted: Any, rows_of: Rows, place: Options
) -> None:
    from evolver import Completion

    class Cut(scripted):  # type: ignore[misc]
        async def complete(self, request: Request) -> Completion:
            completion: Completion = await super().complete(request)
            enough = request.purpose != "answer" or request.sampling.max_tokens > self.enough
            return completion if enough else Completion(completion.text, "length")

    for enough, status in ((100, "survivor"), (200, "eliminated")):
        model = Cut()
        model.enough = enough
        store = f"{place['store']}.{enough}"
        Evolution(make_pool(1), model=model, epochs=1, store=store, output=None, max_tokens=100).run()
        answers = [request for request in model.asked if request.purpose == "answer"]
        assert [request.sampling.max_tokens for request in answers] == [100, 200]
        row = rows_of(store)[-1]
        assert row["status"] == status
        assert row["rule"] == (None if status == "survivor" else "truncated")


@pytest.mark.parametrize(
    ("answers", "status", "noted"),
    [
        (["Equal"], "eliminated", "equal"),
        (["Not Equal"], "survivor", "not_equal"),
        (["perhaps", "EQUAL\nbecause"], "eliminated", "equal"),
        (["", "They are equal but not identical"], "survivor", "undecided"),
    ],
)
def test_an_undecided_judge_is_asked_once_more_and_then_the_candidate_lives(
    make_pool: MakePool,
    scripted: Any,
    rows_of: Rows,
    place: Options,
    answers: list[str],
    status: str,
    noted: str,
) -> None:
    class Judge(scripted):  # type: ignore[misc]
        def text(self, request: Request) -> str:
            if request.purpose == "judge":
                return answers[int(self.count("judge")) - 1]
            return "A fine answer." if request.purpose == "answer" else str(super().text(request))

    model = Judge()
    Evolution(make_pool(1), model=model, epochs=1, store=place["store"], output=None).run()
    row = rows_of(place["store"])[-1]
    assert model.count("judge") == len(answers)
    assert len({request.sample for request in model.asked if request.purpose == "judge"}) == len(answers)
    assert row["status"] == status
    assert json.loads(row["details"])["judge"] == noted
    assert {request.sampling.temperature for request in model.asked if request.purpose == "judge"} == {0.0}


def test_rules_that_need_no_call_spare_the_judge_and_the_answer(
    make_pool: MakePool, scripted: Any, rows_of: Rows, place: Options
) -> None:
    class Parrot(scripted):  # type: ignore[misc]
        def text(self, request: Request) -> str:
            given: str = request.prompt.rsplit("#Given Prompt#:\n", 1)[-1].split("#")[0]
            return given.strip().upper()

    model = Parrot()
    Evolution(make_pool(3), model=model, epochs=1, store=place["store"], output=None).run()
    assert model.count("evolve") == len(model.asked) == 3
    assert {row["rule"] for row in rows_of(place["store"]) if row["epoch"]} == {"no_information_gain"}


def test_without_the_judge_nothing_is_asked_about_equality(
    make_pool: MakePool, scripted: Any, place: Options
) -> None:
    model = scripted()
    Evolution(make_pool(3), model=model, epochs=1, store=place["store"], output=None, judge=False).run()
    assert model.count("judge") == 0
    assert model.count("answer") == 3


def test_a_request_that_is_never_answered_fails_its_attempt_and_puts_the_parent_back(
    make_pool: MakePool, scripted: Any, rows_of: Rows, place: Options
) -> None:
    def filtered(request: Request) -> None:
        if request.purpose == "answer" and request.sample.split(".")[1] == "1":
            raise RowModelError("the content filter cut it", "content_filter")

    model = scripted()
    model.before = filtered
    result = Evolution(make_pool(4), model=model, epochs=2, store=place["store"], output=None).run()
    rows = rows_of(place["store"])
    first = [row for row in rows if row["epoch"] == 1]
    assert {(row["status"], row["rule"], row["response"]) for row in first} == {
        ("failed", "content_filter", None)
    }
    assert all(row["parent_id"] == row["root_id"] for row in rows if row["epoch"] == 2)
    assert result.stats.failed == 4


def test_a_text_no_database_can_hold_fails_its_attempt(
    make_pool: MakePool, scripted: Any, rows_of: Rows, store_url: str
) -> None:
    class Nul(scripted):  # type: ignore[misc]
        def text(self, request: Request) -> str:
            return "half a \ud83d" if request.purpose == "answer" else "a\0b"

    with pytest.raises(AllFailedError, match="NUL byte or half a character"):
        Evolution(make_pool(2), model=Nul(), epochs=1, store=store_url, output=None).run()
    assert {row["rule"] for row in rows_of(store_url) if row["epoch"]} == {"unstorable"}


def test_a_fatal_answer_stops_the_run_and_the_same_call_goes_on(
    make_pool: MakePool, scripted: Any, rows_of: Rows, tmp_path: Path
) -> None:
    def refuse(request: Request) -> None:
        if len(model.asked) > 40:
            raise RunModelError("the key was refused; the run stopped.")

    pool, model = make_pool(), scripted(turns=3)
    model.before = refuse
    stopped, whole = str(tmp_path / "stopped.db"), str(tmp_path / "whole.db")
    with pytest.raises(RunModelError, match="the key was refused"):
        Evolution(pool, model=model, store=stopped, output=None, concurrency=4).run()
    assert len(model.asked) <= 40 + 4
    healed = scripted()
    Evolution(pool, model=healed, store=stopped, output=None).run()
    Evolution(pool, model=scripted(), store=whole, output=None).run()
    assert rows_of(stopped) == rows_of(whole)
    paid = {(request.prompt, request.sample) for request in model.asked[:40]}
    assert not [request for request in healed.asked if (request.prompt, request.sample) in paid]


def test_a_stop_finishes_the_calls_in_flight_and_keeps_them(
    make_pool: MakePool, scripted: Any, place: Options
) -> None:
    pool, model, again = make_pool(), scripted(turns=6), scripted()
    evolution = Evolution(pool, model=model, store=place["store"], output=None, concurrency=8)

    def stop(request: Request) -> None:
        if len(model.asked) == 50:
            evolution.stop()

    model.before = stop
    with pytest.raises(EvolverError, match="stopped") as stopped:
        evolution.run()
    assert stopped.value.exit_code == 130
    assert 50 <= len(model.asked) <= 50 + 8
    Evolution(pool, model=again, store=place["store"], output=None).run()
    asked = Counter((request.prompt, request.sample) for request in [*model.asked, *again.asked])
    assert max(asked.values()) == 1


def test_a_mutator_that_raises_stops_the_run_with_its_name_and_loses_nothing(
    make_pool: MakePool, scripted: Any, rows_of: Rows, place: Options
) -> None:
    @mutator(family="depth")
    def brittle(instruction: str) -> str:
        if instruction.startswith("Name 7 "):
            raise ValueError("seven")
        return f"Make this harder.\n#Given Prompt#:\n{instruction}\n#Rewritten Prompt#:"

    with pytest.raises(PluginError, match=r"brittle.*ValueError: seven"):
        Evolution(make_pool(), model=scripted(), mutators=[brittle], store=place["store"], output=None).run()
    assert {row["status"] for row in rows_of(place["store"])} <= {"seed", "survivor", "eliminated"}


def test_a_mutator_may_need_no_call(
    make_pool: MakePool, scripted: Any, rows_of: Rows, place: Options
) -> None:
    class Shout:
        name, family, version, markers = "shout", "local", 1, ()

        def mutate(self, instruction: str, rng: object) -> str:
            return f"{instruction} Answer as loudly as you can."

    model = scripted()
    Evolution(
        make_pool(3), model=model, mutators=[Shout()], epochs=1, store=place["store"], output=None
    ).run()
    assert model.count("evolve") == 0
    assert {row["mutator"] for row in rows_of(place["store"]) if row["epoch"]} == {"shout"}


def test_a_rule_of_ones_own_is_stored_by_its_name(
    make_pool: MakePool, scripted: Any, rows_of: Rows, place: Options
) -> None:
    @rule(reads="instruction")
    def odd_river(candidate: Candidate) -> Drop | None:
        return Drop("odd_river", "it is odd") if "Name 1" in candidate.parent else None

    Evolution(
        make_pool(), model=scripted(), rules=[odd_river], epochs=1, store=place["store"], output=None
    ).run()
    dead = [row for row in rows_of(place["store"]) if row["rule"] == "odd_river"]
    assert len(dead) == 11
    assert {row["response"] for row in dead} == {None}


def test_a_listener_hears_every_attempt(make_pool: MakePool, scripted: Any, place: Options) -> None:
    heard: list[Event] = []
    Evolution(make_pool(5), model=scripted(), store=place["store"], output=None, on_event=heard.append).run()
    assert sum(isinstance(event, AttemptEnded) for event in heard) == 20


def test_a_run_works_inside_a_running_event_loop_and_keeps_its_error(
    make_pool: MakePool, scripted: Any, place: Options
) -> None:
    def explode(request: Request) -> None:
        raise RuntimeError("my own mistake")

    async def notebook() -> None:
        result = Evolution(make_pool(3), model=scripted(), store=place["store"], output=place["output"]).run()
        assert result.stats.attempts == 12
        broken = scripted()
        broken.before = explode
        with pytest.raises(RuntimeError, match="my own mistake"):
            Evolution(
                make_pool(3),
                model=broken,
                run="broken",
                cache=False,
                store=place["store"],
            ).run()

    asyncio.run(notebook())


def test_other_settings_under_the_name_of_a_run_are_refused(
    make_pool: MakePool, scripted: Any, place: Options
) -> None:
    pool = make_pool()
    Evolution(pool, model=scripted(), run="mine", store=place["store"], output=None).run()
    with pytest.raises(SettingsError, match=r"'mine' was begun with other settings \(seed\)"):
        Evolution(pool, model=scripted(), run="mine", seed=5, store=place["store"], output=None).run()


def test_a_pool_cut_off_at_its_end_leaves_no_store_and_no_dataset(
    make_pool: MakePool, scripted: Any, place: Options, tmp_path: Path
) -> None:
    pool = make_pool(5000)
    pool.write_bytes(pool.read_bytes()[:-30])
    with pytest.raises(PoolError):
        Evolution(pool, model=scripted(), store=place["store"], output=place["output"]).run()
    assert [path.name for path in tmp_path.iterdir()] == ["pool.json"]


def test_an_output_that_cannot_be_written_is_said_before_anything_is_asked(
    make_pool: MakePool, scripted: Any, tmp_path: Path
) -> None:
    model = scripted()
    with pytest.raises(EvolverError, match="nowhere"):
        Evolution(
            make_pool(),
            model=model,
            store=str(tmp_path / "e.db"),
            output=str(tmp_path / "nowhere" / "o.jsonl"),
        ).run()
    assert model.asked == []
    assert not (tmp_path / "e.db").exists()


@pytest.mark.parametrize("which", ["missing", "all"])
def test_seeds_are_answered_by_the_model_where_that_is_asked_for(
    make_pool: MakePool, scripted: Any, rows_of: Rows, store_url: str, which: Any
) -> None:
    pool = make_pool()
    seeds = json.loads(pool.read_text())
    for seed in seeds[:8]:
        seed["output"] = ""
    pool.write_text(json.dumps(seeds))

    class SorryOnce(scripted):  # type: ignore[misc]
        def text(self, request: Request) -> str:
            sorry = request.prompt == "Name 3 rivers."
            return "Sorry, I cannot." if sorry else f"A useful answer to: {request.prompt}"

    for _ in range(2):  # the second time there is nothing left to ask
        model = SorryOnce()
        Evolution(pool, model=model, epochs=1, store=store_url, output=None, answer_seeds=which).run()
    assert model.asked == []
    rows = [row for row in rows_of(store_url) if row["epoch"] == 0]
    answered = [row for row in rows if row["model"] == "scripted/1"]
    assert len(answered) == (8 if which == "missing" else 20)
    sorry = [row for row in answered if "answer_dropped" in str(row["details"])]
    assert [row["instruction"] for row in sorry] == ["Name 3 rivers."]
    kept = [row for row in answered if row not in sorry]
    assert all(row["response"] == f"A useful answer to: {row['instruction']}" for row in kept)
    assert all(row["response"] != "Sorry, I cannot." for row in rows)


def test_a_run_asked_to_stop_goes_on_when_it_is_run_again(
    make_pool: MakePool, scripted: Any, place: Options
) -> None:
    evolution = Evolution(make_pool(3), model=scripted(), store=place["store"], output=None)
    evolution.stop()
    with pytest.raises(EvolverError, match="stopped"):
        evolution.run()
    assert evolution.run().stats.attempts == 12


def test_a_shorter_rerun_leaves_a_finished_run_finished(
    make_pool: MakePool, scripted: Any, place: Options
) -> None:
    pool = make_pool(3)
    for epochs in (4, 1, 4):
        Evolution(pool, model=scripted(), store=place["store"], output=None, epochs=epochs).run()
        assert statuses(place["store"]) == ["finished"]


def test_a_shorter_rerun_does_not_call_a_longer_run_finished(
    make_pool: MakePool, scripted: Any, place: Options
) -> None:
    def stop_soon(event: Event) -> None:
        if isinstance(event, AttemptEnded):
            longer.stop()

    pool = make_pool(3)
    longer = Evolution(
        pool, model=scripted(), store=place["store"], output=None, epochs=4, on_event=stop_soon
    )
    with pytest.raises(EvolverError):
        longer.run()
    for epochs, status in ((1, "stopped"), (4, "finished")):
        Evolution(pool, model=scripted(), store=place["store"], output=None, epochs=epochs).run()
        assert statuses(place["store"]) == [status]


def statuses(store: Any) -> list[str]:
    with reading(store) as engine, engine.connect() as conn:
        return list(conn.execute(text("SELECT status FROM runs ORDER BY id")).scalars())


@pytest.mark.parametrize("which", ["pool", "store"])
def test_an_output_never_replaces_the_pool_or_the_store(
    make_pool: MakePool, scripted: Any, tmp_path: Path, which: str
) -> None:
    pool, store = make_pool(3, "pool.json"), tmp_path / "store.json"
    Evolution(pool, model=scripted(), store=str(store), output=None, epochs=1).run()
    before = pool.read_bytes(), store.read_bytes()
    output = str(pool if which == "pool" else store)
    with pytest.raises(SettingsError, match=f"is the file of --{which}"):
        Evolution(pool, model=scripted(), store=str(store), output=output, epochs=1).run()
    assert (pool.read_bytes(), store.read_bytes()) == before


def test_calls_paid_again_without_the_cache_are_kept_and_counted(
    make_pool: MakePool, scripted: Any, place: Options
) -> None:
    pool, second = make_pool(4), scripted()
    for name, model, cache in (("a", scripted(), True), ("b", second, False)):
        result = Evolution(
            pool,
            model=model,
            run=name,
            cache=cache,
            store=place["store"],
            output=None,
            epochs=1,
            confirm=True,
            price_in=1,
            price_out=1,
        ).run()
        assert result.stats.calls == len(model.asked) > 0


def test_a_model_that_gives_no_completion_is_named_in_one_sentence(
    make_pool: MakePool, place: Options
) -> None:
    class Bare:
        async def complete(self, request: Request) -> str:
            return "just text"

    with pytest.raises(RunModelError, match="gave a str where a Completion is wanted"):
        Evolution(make_pool(2), model=Bare(), store=place["store"], output=None).run()
