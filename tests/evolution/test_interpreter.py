"""What a run changes in the interpreter, and that it is put back."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from evolver import Evolution
from evolver.errors import StoppedError
from evolver.events import AttemptEnded, Event
from evolver.interpreter import tuned
from evolver.models.protocol import Completion, Request


def settings() -> tuple[float, tuple[int, int, int], bool]:
    return sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count() > 0


def seen_in_a_run(tmp_path: Path, model: object) -> tuple[float, tuple[int, int, int], bool]:
    """Run, and return the settings while it lasted; they were the same all the time."""
    pool = tmp_path / "pool.txt"
    pool.write_text("Name three rivers.\nName three lakes.\n")
    during: set[tuple[float, tuple[int, int, int], bool]] = set()

    def look(event: Event) -> None:
        if isinstance(event, AttemptEnded):
            during.add(settings())

    Evolution(pool, model=model, epochs=2, store=tmp_path / "e.db", output=None, on_event=look).run()
    (one,) = during
    return one


class Paid:
    """A model whose calls are worth keeping."""

    async def complete(self, request: Request) -> Completion:
        return Completion(f"{request.prompt[-40:]} And why?", "stop", 1, 1)


def test_the_writer_gets_its_turns_soon_and_the_collector_rests_while_a_run_lasts(tmp_path: Path) -> None:
    before = settings()
    switch_s, (objects, *_), frozen = seen_in_a_run(tmp_path, Paid())
    assert switch_s == pytest.approx(0.0002)
    assert objects == 10_000
    assert frozen
    assert settings() == before


def test_a_run_whose_calls_cost_nothing_keeps_the_switch_interval(tmp_path: Path) -> None:
    before = settings()
    switch_s, (objects, *_), frozen = seen_in_a_run(tmp_path, "offline")
    assert (switch_s, objects, frozen) == (before[0], 10_000, True)
    assert settings() == before


def test_the_interpreter_is_as_before_when_a_run_fails() -> None:
    before = settings()
    with pytest.raises(StoppedError), tuned(paid=True):
        raise StoppedError("no more")
    assert settings() == before


@pytest.mark.parametrize("paid", [(True, True), (True, False), (False, True)])
def test_of_two_runs_in_one_process_the_last_to_end_puts_it_back(paid: tuple[bool, bool]) -> None:
    before = settings()
    first, second = (tuned(paid=each) for each in paid)
    with first:
        during = settings()
        with second:
            both = settings()
            assert both[0] == pytest.approx(0.0002)
        assert settings() == during != before
    assert settings() == before


def test_a_program_that_collects_by_itself_and_has_frozen_objects_keeps_it_so() -> None:
    before = gc.get_threshold()
    gc.set_threshold(0)
    gc.freeze()
    try:
        with tuned(paid=True):
            assert gc.get_threshold()[0] == 0
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
