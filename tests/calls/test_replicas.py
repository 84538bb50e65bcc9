"""Several servers of one model: which of them is asked, when one leaves and comes back, and what all failing means."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from evolver.calls.replicas import IN_A_ROW, Replicas
from evolver.errors import ModelError, RowModelError, RunModelError, TransientModelError
from evolver.models.protocol import Completion, Request, Sampling

pytestmark = pytest.mark.anyio

ASKED = Request("evolve", "Why?", Sampling(), "1")

Answer = Callable[[Request], Awaitable[Completion]]


class Server:
    """Answers, fails or waits as the test says at the moment it is asked."""

    provider, settings = "openai", ""

    def __init__(self, address: str) -> None:
        self.name, self.base_url = "openai:m", address
        self.asked = 0
        self.error: ModelError | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def complete(self, request: Request) -> Completion:
        self.asked += 1
        if self.error is not None:
            raise self.error
        await self.open.wait()
        return Completion(f"{self.base_url} says so")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Pair:
    """Two servers, a clock that moves when it is told to, and what was told."""

    def __init__(self, limit: int = 8) -> None:
        self.a, self.b, self.clock = Server("http://a/v1"), Server("http://b/v1"), Clock()
        self.told: list[str] = []
        self.model = Replicas([self.a, self.b], limit=limit, on_notice=self.told.append, clock=self.clock)

    async def ask(self, times: int = 1) -> list[str]:
        return [(await self.model.complete(ASKED)).text for _ in range(times)]

    async def lose(self, server: Server, error: ModelError | None = None) -> None:
        """Let a server fail until it has left."""
        server.error = error or unreachable()
        await self.ask(2 * IN_A_ROW)
        server.asked = 0


def unreachable() -> TransientModelError:
    return TransientModelError("nothing listens at b", "connection")


def busy(wait: float | None = None) -> TransientModelError:
    return TransientModelError("429", "rate_limited", overload=True, retry_after=wait)


async def begun(*tasks: asyncio.Task[Completion]) -> None:
    for _ in range(10 * len(tasks)):
        await asyncio.sleep(0)


async def test_a_call_goes_to_the_server_with_the_fewest_in_flight() -> None:
    pair = Pair()
    pair.a.open.clear()
    pair.b.open.clear()
    calls = [asyncio.ensure_future(pair.model.complete(ASKED)) for _ in range(6)]
    await begun(*calls)

    assert (pair.a.asked, pair.b.asked) == (3, 3)
    pair.a.open.set()
    pair.b.open.set()
    await asyncio.gather(*calls)


async def test_a_server_that_takes_four_times_as_long_has_a_quarter_of_the_calls_in_flight() -> None:
    pair = Pair(limit=64)
    pair.a.open.clear()
    pair.b.open.clear()
    first, second = (asyncio.ensure_future(pair.model.complete(ASKED)) for _ in range(2))
    await begun(first, second)
    for server, call, seconds in ((pair.a, first, 1.0), (pair.b, second, 3.0)):
        pair.clock.now += seconds
        server.open.set()
        await call
        server.open.clear()
        server.asked = 0
    calls = [asyncio.ensure_future(pair.model.complete(ASKED)) for _ in range(50)]
    await begun(*calls)

    assert (pair.a.asked, pair.b.asked) == (40, 10)
    pair.a.open.set()
    pair.b.open.set()
    await asyncio.gather(*calls)


async def test_a_call_that_one_server_fails_is_answered_by_the_other() -> None:
    pair = Pair()
    pair.a.error = TransientModelError("500", "server_error")

    assert await pair.ask() == ["http://b/v1 says so"]


async def test_a_server_that_failed_once_is_asked_again() -> None:
    pair = Pair()
    pair.a.error = TransientModelError("500", "server_error")
    await pair.ask()
    pair.a.error = None

    assert await pair.ask() == ["http://a/v1 says so"]


async def test_a_server_that_fails_again_and_again_leaves() -> None:
    pair = Pair()
    await pair.lose(pair.a)
    await pair.ask(10)

    assert pair.a.asked == 0


async def test_a_server_that_has_left_gets_one_call_at_a_time_until_it_answers() -> None:
    pair = Pair()
    await pair.lose(pair.a)
    pair.clock.now += 60.0
    pair.a.error = None
    pair.a.open.clear()
    calls = [asyncio.ensure_future(pair.model.complete(ASKED)) for _ in range(4)]
    await begun(*calls)
    asked_while_tried = pair.a.asked
    pair.a.open.set()
    await asyncio.gather(*calls)

    assert asked_while_tried == 1
    assert await pair.ask() == ["http://a/v1 says so"]


async def test_a_server_that_fails_its_trial_is_left_alone_for_longer() -> None:
    pair = Pair()
    await pair.lose(pair.a)
    for _ in range(8):
        pair.clock.now += 60.0
        await pair.ask()
    pair.a.asked = 0
    pair.clock.now += 14.0  # the longest wait is 15 to 30 seconds
    await pair.ask(5)

    assert pair.a.asked == 0


async def test_it_is_told_once_that_a_server_is_gone_and_once_that_it_is_back() -> None:
    pair = Pair()
    await pair.lose(pair.a)
    for _ in range(3):
        pair.clock.now += 60.0
        await pair.ask()
    pair.a.error = None
    pair.clock.now += 60.0
    await pair.ask(2)

    gone, back = pair.told
    assert gone == (
        "openai:m at http://a/v1 does not answer: nothing listens at b. Others are asked in its place until it does."
    )
    assert back == "openai:m at http://a/v1 answers again."


async def test_a_server_that_refuses_the_key_leaves_at_once_and_the_others_go_on() -> None:
    pair = Pair()
    pair.a.error = RunModelError("401")
    answers = await pair.ask(5)

    assert answers == ["http://b/v1 says so"] * 5
    assert pair.a.asked == 1
    assert pair.told[0].startswith("openai:m at http://a/v1 does not answer: 401.")


async def test_the_run_stops_where_all_servers_refuse_the_key() -> None:
    pair = Pair()
    pair.a.error, pair.b.error = RunModelError("401 of a"), RunModelError("401 of b")

    with pytest.raises(RunModelError, match="401 of a"):
        await pair.ask()


async def test_what_no_server_answers_is_tried_again_by_the_asker() -> None:
    pair = Pair()
    pair.a.error, pair.b.error = unreachable(), RunModelError("401")

    with pytest.raises(TransientModelError, match="nothing listens"):
        await pair.ask()


async def test_a_server_is_asked_even_while_all_are_gone() -> None:
    pair = Pair()
    await pair.lose(pair.a)
    pair.b.error = unreachable()
    for _ in range(IN_A_ROW):
        with pytest.raises(TransientModelError):
            await pair.ask()
    pair.a.error = pair.b.error = None

    assert len(await pair.ask()) == 1


async def test_a_request_that_one_server_refuses_is_answered_by_the_other() -> None:
    pair = Pair()
    await pair.lose(pair.a, RowModelError("400: top_k is unknown", "bad_request"))
    await pair.ask(10)

    assert pair.a.asked == 0


async def test_a_request_that_all_servers_refuse_is_the_rows_fault() -> None:
    pair = Pair()
    pair.a.error = pair.b.error = RowModelError("400", "bad_request")
    for _ in range(2 * IN_A_ROW):
        with pytest.raises(RowModelError):
            await pair.ask()
    pair.a.error = pair.b.error = None
    pair.a.asked = 0
    await pair.ask()

    assert pair.a.asked == 1


async def test_an_answer_that_a_filter_withheld_is_asked_for_once() -> None:
    pair = Pair()
    pair.a.error = RowModelError("withheld", "content_filter")
    with pytest.raises(RowModelError):
        await pair.ask()

    assert pair.b.asked == 0


async def test_a_call_that_has_used_up_its_time_is_the_askers_to_try_again() -> None:
    pair = Pair()
    pair.a.error = TransientModelError("300 s", "timeout")
    with pytest.raises(TransientModelError):
        await pair.ask()
    pair.a.asked = 0
    await pair.ask(3)

    assert (pair.a.asked, pair.b.asked) == (0, 3)


async def test_overload_narrows_one_server_alone() -> None:
    pair = Pair(limit=4)
    pair.a.error = busy()
    await pair.ask(4)
    pair.a.error = None
    pair.a.open.clear()
    pair.b.open.clear()
    calls = [asyncio.ensure_future(pair.model.complete(ASKED)) for _ in range(6)]
    pair.a.asked = pair.b.asked = 0
    await begun(*calls)

    assert (pair.a.asked, pair.b.asked) == (1, 4)
    pair.a.open.set()
    pair.b.open.set()
    await asyncio.gather(*calls)


async def test_a_server_that_asks_to_wait_is_left_alone_so_long() -> None:
    pair = Pair(limit=4)
    pair.a.error = busy(wait=100.0)
    await pair.ask()
    pair.a.error, pair.a.asked = None, 0
    pair.clock.now += 99.0
    await pair.ask(3)
    asked_meanwhile = pair.a.asked
    pair.clock.now += 2.0
    await pair.ask()

    assert (asked_meanwhile, pair.a.asked) == (0, 1)


async def test_where_all_servers_ask_to_wait_the_shortest_wait_counts() -> None:
    pair = Pair(limit=4)
    pair.a.error, pair.b.error = busy(wait=100.0), busy(wait=40.0)
    with pytest.raises(TransientModelError) as first:
        await pair.ask()
    pair.clock.now += 10.0
    with pytest.raises(TransientModelError) as second:
        await pair.ask()

    assert (first.value.retry_after, second.value.retry_after) == (40.0, 30.0)
    assert second.value.overload
    assert pair.b.asked == 1


async def test_calls_that_hang_at_a_server_that_is_gone_are_asked_elsewhere() -> None:
    pair = Pair()
    pair.a.open.clear()
    pair.b.open.clear()
    hanging = [asyncio.ensure_future(pair.model.complete(ASKED)) for _ in range(2)]
    await begun(*hanging)
    pair.b.open.set()
    pair.a.error = unreachable()
    await pair.ask(2 * IN_A_ROW)
    pair.clock.now += 60.0
    await pair.ask()

    assert [(await call).text for call in hanging] == ["http://b/v1 says so"] * 2


async def test_a_call_that_is_cancelled_stays_cancelled() -> None:
    pair = Pair()
    pair.a.open.clear()
    call = asyncio.ensure_future(pair.model.complete(ASKED))
    await begun(call)
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    assert pair.b.asked == 0
