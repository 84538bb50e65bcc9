"""Several servers of one model as one model: the least busy answers, a dead one leaves and comes back.

Its user says that they are equal, by naming several addresses. So a call that one of them fails is asked at the next
without a word, and only what all of them fail goes back to the asker, who waits, asks again or stops the run as he does
with a single server.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evolver.calls.limits import Adaptive
from evolver.calls.rows import ROWS_OWN
from evolver.calls.waits import back_off_s
from evolver.errors import ModelError, RowModelError, TransientModelError
from evolver.models.protocol import Completion, Model, Request

IN_A_ROW = 6
"""Failures without an answer between them after which a server leaves: by chance that is rare even where 30% fail."""
_WEIGHS = 0.1  # share of the last call in a server's mean seconds

Tell = Callable[[str], None]


class Replicas:
    """A model over several servers of it; none of them need be there when it is made.

    A call goes to the server where it will probably be answered first: the one of the smallest product of calls in
    flight and seconds that a call takes there. Each has a width of its own that overload narrows, and a pause of its
    own where it names one. A server leaves after :data:`IN_A_ROW` failures without an answer, at once where it ran out
    of time or refuses everything (a key, an unknown model); a request that it refuses and another answers is a failure,
    too. After a wait that doubles from half a second to half a minute it is given a single call, and is back if it
    answers. Where that fails for want of a connection, calls that still hang there are asked elsewhere.

    Args:
        models: The model at each address.
        limit: The most calls in flight at one of them.
        on_notice: Told when one is gone, and when it is back.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        models: Sequence[Model],
        *,
        limit: int,
        on_notice: Tell | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        tell = on_notice or (lambda text: None)
        self._servers = [Server(model, limit, tell, clock) for model in models]
        self._clock = clock
        self._waiting: list[asyncio.Future[None]] = []
        first: Any = models[0]
        self.name, self.provider, self.settings = first.name, first.provider, first.settings
        self.base_url = first.base_url

    async def complete(self, request: Request) -> Completion:
        """Answer ``request`` at whichever server can.

        Raises:
            ModelError: What it says is the request's fault; or no server answers, as one of them says it.
        """
        failed: dict[Server, ModelError] = {}
        while True:
            server = await self._next(failed)
            try:
                completion = await server.ask(request)
            except ModelError as error:
                if _is_final(error):
                    raise
                failed[server] = error
            else:
                for one, said in failed.items():
                    if isinstance(said, RowModelError):
                        one.refuses(said)
                return completion
            finally:
                self._wake()

    async def aclose(self) -> None:
        """Close the connections to all servers."""
        for server in self._servers:
            close = getattr(server.model, "aclose", None)
            if close is not None:
                await close()

    async def _next(self, failed: Mapping[Server, ModelError]) -> Server:
        """Return the server to ask that has not failed this call; wait while all are as busy as they may be."""
        while True:
            rest = [server for server in self._servers if server not in failed]
            there = [server for server in rest if server.opens_at <= self._clock()]
            free = [server for server in there if server.has_room]
            if free:
                usual = self._usual_seconds()
                return min(free, key=lambda server: server.seconds_to_come(usual))
            if there:
                waiter = asyncio.get_running_loop().create_future()
                self._waiting.append(waiter)
                await waiter
                continue
            if failed:
                raise _speaking_for_all(list(failed.values()))
            first = min(rest, key=lambda server: server.opens_at)
            first.check_pause()
            return first  # all are gone: it is asked all the same, as a single server would be

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    def _usual_seconds(self) -> float:
        known = [server.seconds for server in self._servers if server.seconds is not None]
        return sum(known) / len(known) if known else 1.0


class Server:
    """One of several servers: what it has to do, how wide it is open, and whether it is there."""

    def __init__(self, model: Model, limit: int, tell: Tell, clock: Callable[[], float]) -> None:
        self.model = model
        self.opens_at = 0.0
        self.seconds: float | None = None
        self._who = f"{getattr(model, 'name', 'the model')} at {getattr(model, 'base_url', None)}"
        self._tell = tell
        self._clock = clock
        self._adaptive = Adaptive(limit)
        self._calls: set[asyncio.Timeout] = set()
        self._trials = 0
        self._left = 0
        self._in_a_row = 0
        self._paused: TransientModelError | None = None
        self._told = False

    @property
    def has_room(self) -> bool:
        """Whether it may be given one more call; a server that has left gets one at a time, to see if it is back."""
        return not self._trials if self._left else len(self._calls) < self._adaptive.capacity

    def seconds_to_come(self, usual: float) -> float:
        """Return when one more call may be answered, in relation to others; ``usual`` stands for seconds not known."""
        return (len(self._calls) + 1) * (usual if self.seconds is None else self.seconds)

    def check_pause(self) -> None:
        """Make sure that it has not asked to be left alone.

        Raises:
            TransientModelError: It has; with the seconds that are left.
        """
        error, left = self._paused, self.opens_at - self._clock()
        if error is not None and left > 0:
            raise TransientModelError(str(error), error.kind, retry_after=left, overload=True)

    async def ask(self, request: Request) -> Completion:
        """Ask it, and learn from what comes of it.

        Raises:
            ModelError: As the model says; a call that was given up here is one that lost its connection.
        """
        left, round_, started = self._left, self._adaptive.round, self._clock()
        trial = bool(left)
        self._trials += trial
        limit = asyncio.timeout(None)
        self._calls.add(limit)
        try:
            try:
                async with limit:
                    completion = await self.model.complete(request)
            finally:
                self._calls.discard(limit)
                self._trials -= trial
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise TransientModelError(f"{self._who} was lost while it answered", "connection") from error
        except RowModelError as error:
            if error.kind in ROWS_OWN:
                self._answered()
            raise
        except ModelError as error:
            self._failed(error, left, round_)
            raise
        self._count(self._clock() - started)
        self._answered()
        return completion

    def refuses(self, error: RowModelError) -> None:
        """Take note that it refused what another server answered."""
        self._in_a_row += 1
        if self._left or self._in_a_row >= IN_A_ROW:
            self._leave(error)

    def _count(self, seconds: float) -> None:
        self.seconds = seconds if self.seconds is None else self.seconds + _WEIGHS * (seconds - self.seconds)
        self._adaptive.succeeded()

    def _answered(self) -> None:
        self._in_a_row = 0
        if self._left:
            self._left, self.opens_at = 0, 0.0
            if self._told:
                self._told = False
                self._tell(f"{self._who} answers again.")

    def _failed(self, error: ModelError, left: int, round_: int) -> None:
        """Take note of a failure; ``left`` and ``round_`` are of when the call began, as older ones say nothing new."""
        if left != self._left:
            return
        self._in_a_row += 1
        at_once = True
        if isinstance(error, TransientModelError):
            at_once = error.kind == "timeout"
            if error.overload:
                self._overloaded(error, round_)
        if left or at_once or self._in_a_row >= IN_A_ROW:
            self._leave(error)

    def _overloaded(self, error: TransientModelError, round_: int) -> None:
        before = self._adaptive.round
        self._adaptive.overloaded(round_)
        if error.retry_after is not None and self._adaptive.round != before:
            self._paused, self.opens_at = error, self._clock() + error.retry_after

    def _leave(self, error: ModelError) -> None:
        self._left += 1
        self._in_a_row = 0
        self.opens_at = max(self.opens_at, self._clock() + back_off_s(self._left, None))
        if isinstance(error, TransientModelError) and error.overload:
            return
        self._paused = None
        if not self._told and (self._left > 1 or not isinstance(error, TransientModelError)):
            self._told = True
            said = str(error).rstrip(".")
            self._tell(f"{self._who} does not answer: {said}. Others are asked in its place until it does.")
        if self._left > 1 and isinstance(error, TransientModelError) and error.kind == "connection":
            now = asyncio.get_running_loop().time()
            for call in self._calls:
                if not call.expired():
                    call.reschedule(now)


def _is_final(error: ModelError) -> bool:
    """Tell a failure that no other server mends: the request's own, or one that has used up its time."""
    if isinstance(error, RowModelError):
        return error.kind in ROWS_OWN
    return isinstance(error, TransientModelError) and error.kind == "timeout"


def _speaking_for_all(errors: Sequence[ModelError]) -> ModelError:
    """Return what the asker is told where every server failed: the mildest, as the rest may come back."""
    rows = [error for error in errors if isinstance(error, RowModelError)]
    passing = [error for error in errors if isinstance(error, TransientModelError)]
    busy = [error for error in passing if error.overload]
    if rows or not passing:
        return (rows or errors)[0]
    return min(busy, key=lambda error: error.retry_after or 0.0) if busy else passing[0]
