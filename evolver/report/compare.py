"""Two runs side by side: settings that differ, figures, and what became of the seeds that both hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, func, select

from evolver.facts.attempts import Tally, attempts_of, listed
from evolver.facts.lengths import Lengths, lengths_of
from evolver.facts.settings import differing
from evolver.facts.spending import Spent, paid_by
from evolver_store.names import name_of
from evolver_store.runs import Run
from evolver_store.schema import instructions

PAIRS = 5


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs in figures; ``paid`` is what it paid for itself."""

    run: str
    status: str
    seeds: int
    total: Tally
    paid: Spent
    lengths: list[Lengths]


@dataclass(frozen=True, slots=True)
class Shared:
    """What became of the seeds that both runs hold: how many have survivors in both, in one, in neither.

    ``first_survivors`` and ``second_survivors`` count the survivors of these seeds.
    """

    seeds: int
    evolved_in_both: int
    only_in_first: int
    only_in_second: int
    in_neither: int
    first_survivors: int
    second_survivors: int


@dataclass(frozen=True, slots=True)
class Text:
    """The newest survivor of a seed, or the seed itself where nothing survived."""

    id: int
    name: str
    epoch: int
    mutator: str | None
    instruction: str
    response: str | None


@dataclass(frozen=True, slots=True)
class Pair:
    """One seed, and where each run took it."""

    seed: str
    first: Text
    second: Text


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side."""

    settings: dict[str, tuple[Any, Any]]
    first: Side
    second: Side
    shared: Shared
    pairs: list[Pair]

    def rules(self) -> list[str]:
        """Name the rules that anything died of in either run, in the order in which rules are listed."""
        return listed({*self.first.total.eliminated, *self.second.total.eliminated})


def compare_runs(
    first: tuple[Connection, Run], second: tuple[Connection, Run], *, pairs: int = PAIRS
) -> Comparison:
    """Compare two runs, of one store or of two.

    Seeds are the same where their instructions are, whatever their places in the pools; of equal seeds within a pool
    the first is compared with the first.

    Args:
        first: A connection to a store, and a run in it.
        second: Another run.
        pairs: How many seeds are shown with what became of them: evenly spread over those that evolved in either run.
    """
    (here, one), (there, other) = first, second
    seeds = _seeds(here, one.id), _seeds(there, other.id)
    both = [(id_, seeds[1][key]) for key, id_ in seeds[0].items() if key in seeds[1]]
    survivors = _survivors(here, one.id), _survivors(there, other.id)
    evolved = [pair for pair in both if survivors[0][pair[0]] or survivors[1][pair[1]]]
    return Comparison(
        settings=differing(one, other),
        first=_side(here, one, len(seeds[0])),
        second=_side(there, other, len(seeds[1])),
        shared=_shared(both, *survivors),
        pairs=[_pair(here, there, *ids) for ids in _spread(evolved, pairs)],
    )


def _side(conn: Connection, run: Run, seeds: int) -> Side:
    total = attempts_of(conn, run.id).total()
    return Side(run.name, run.status, seeds, total, paid_by(conn, run.id), lengths_of(conn, run.id))


def _seeds(conn: Connection, run_id: int) -> dict[tuple[bytes, int], int]:
    """Return the ids of a run's seeds by the digest of their text and, of equal texts, the number."""
    column = instructions.c
    query = select(column.id, column.instruction).where(column.run_id == run_id, column.status == "seed")
    seen: Counter[bytes] = Counter()
    ids: dict[tuple[bytes, int], int] = {}
    for id_, text in conn.execute(query.order_by(column.id).execution_options(yield_per=2_000)):
        digest = blake2b((text or "").encode(errors="surrogatepass"), digest_size=16).digest()
        ids[digest, seen[digest]] = id_
        seen[digest] += 1
    return ids


def _survivors(conn: Connection, run_id: int) -> Counter[int]:
    """Count a run's survivors by seed."""
    column = instructions.c
    query = select(column.root_id, func.count()).where(column.run_id == run_id, column.status == "survivor")
    return Counter({row[0]: row[1] for row in conn.execute(query.group_by(column.root_id))})


def _shared(both: list[tuple[int, int]], first: Counter[int], second: Counter[int]) -> Shared:
    evolved = Counter((first[one] > 0, second[other] > 0) for one, other in both)
    return Shared(
        seeds=len(both),
        evolved_in_both=evolved[True, True],
        only_in_first=evolved[True, False],
        only_in_second=evolved[False, True],
        in_neither=evolved[False, False],
        first_survivors=sum(first[one] for one, _ in both),
        second_survivors=sum(second[other] for _, other in both),
    )


def _spread(pairs: list[tuple[int, int]], most: int) -> Iterator[tuple[int, int]]:
    count = min(most, len(pairs))
    yield from (pairs[number * len(pairs) // count] for number in range(count))


def _pair(here: Connection, there: Connection, one: int, other: int) -> Pair:
    column = instructions.c
    seed = here.execute(select(column.instruction).where(column.id == one)).scalar()
    return Pair(seed or "", _newest(here, one), _newest(there, other))


def _newest(conn: Connection, root: int) -> Text:
    column = instructions.c
    family = column.id.between(root, root | 0xFFF), column.status.in_(("seed", "survivor"))
    query = select(column.id, column.epoch, column.mutator, column.instruction, column.response).where(
        *family
    )
    row = conn.execute(query.order_by(column.id.desc()).limit(1)).one()
    return Text(row.id, name_of(row.id), row.epoch, row.mutator, row.instruction or "", row.response)
