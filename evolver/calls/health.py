"""Whether a provider answers anybody: one object for each provider and address, shared by all who ask there.

It settles what a single failure cannot tell: whether the request is at fault, which is then a failed row, or the
provider, and the run stops. Where others are answered that were asked later, it is the request; what was asked before
says nothing of a provider that has gone, or of an account that has run empty, meanwhile. Where nobody is, one short
question that any model can answer is asked: if that is answered the request is at fault, if it is not, the provider.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from evolver.calls.limits import SlotsClosedError
from evolver.errors import RowModelError, RunModelError, TransientModelError

MOST_TRIES = 8
LONGEST_OUTAGE = 150.0
"""Seconds for which a provider that has answered may answer nobody: a restart of a server takes a minute or two."""
LONGEST_OVERLOAD = 900.0  # seconds likewise, while it says that it is short of capacity
LONGEST_REFUSAL = 180.0
"""Seconds likewise, while it refuses all calls as too many without saying when to come back.

Limits are counted by the minute, and the gate is down to a single call by then: three minutes without one answer are no
such limit, but an empty account or a day's quota, in whatever words it is told.
"""
MOST_ALIKE = 3
"""Times that the same page came instead of a completion, from which a provider that never answered is asked about."""
MOST_PARKED = 8  # refused requests in a row from which the question is asked

Probe = Callable[[], Awaitable[None]]


class Health:
    """What is known of one provider at one address.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._probing: asyncio.Task[None] | None = None
        self._probe: Probe | None = None
        self._parked: list[tuple[int, asyncio.Future[None]]] = []
        self._asking = 0
        self._closed = False
        self._failing_since: float | None = None
        self._page: str | None = None
        self._pages = 0
        self.answered = 0
        self.begun = 0
        """The number of the last call that was begun."""
        self.last_answered = 0
        """The number of the last begun among the calls that were answered."""

    @property
    def silence(self) -> float:
        """Seconds since the first failure after the last answer; 0 while calls are answered."""
        return 0.0 if self._failing_since is None else self._clock() - self._failing_since

    def begin(self) -> int:
        """Take note that a call starts, and return its number; :meth:`end` follows in any case."""
        self._asking += 1
        self.begun += 1
        return self.begun

    def end(self) -> None:
        """Take note that a call is over, however it ended."""
        self._asking -= 1
        self._consider()

    def note_answer(self, number: int = 0) -> None:
        """A request was answered: whoever was refused before it was asked, was refused for itself.

        ``number`` is what :meth:`begin` gave; 0 where nobody knows when it was asked, as in a batch.
        """
        self.answered += 1
        self.last_answered = max(self.last_answered, number)
        self._failing_since = None
        released = [one for since, one in self._parked if since < number]
        self._parked = [(since, one) for since, one in self._parked if since >= number]
        for one in released:
            if not one.done():
                one.set_result(None)

    def note_failure(self, error: TransientModelError) -> None:
        """A request was not answered."""
        if self._failing_since is None:
            self._failing_since = self._clock()
        page = str(error) if error.kind == "malformed" else None
        self._pages = self._pages + 1 if page is not None and page == self._page else 1
        self._page = page

    def out_of_patience(self, tried: int, error: TransientModelError) -> bool:
        """Tell whether it is time to ask who is at fault; ``tried`` leaves out want of capacity, no request's fault.

        Where nobody was ever answered and everybody got the same page, no more tries will change it.
        """
        if error.overload:
            refused = error.kind == "rate_limited" and error.retry_after is None
            return self.silence > (LONGEST_REFUSAL if refused else LONGEST_OVERLOAD)
        one_page = not self.answered and self._page is not None and self._pages >= MOST_ALIKE
        return tried >= MOST_TRIES or one_page

    async def settle(self, probe: Probe) -> None:
        """Return if it is the request that fails, as the provider answers others.

        Waits for the next answer to anybody who asks from now on. Where many were refused in a row, or nobody else
        asks, the probe is asked: once for all who wait.

        Raises:
            RunModelError: The provider answers nobody: what it says to the probe.
            SlotsClosedError: The run is stopping: nobody will know, and nobody is to wait.
        """
        if self._closed:
            raise SlotsClosedError
        verdict: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._parked.append((self.begun, verdict))
        self._probe = probe
        self._consider()
        await verdict

    def close(self) -> None:
        """The run is stopping: nobody is told anything any more."""
        self._closed = True
        parked, self._parked = self._parked, []
        for _, one in parked:
            if not one.done():
                one.set_exception(SlotsClosedError())
        if self._probing is not None:
            self._probing.cancel()

    def _consider(self) -> None:
        if not self._parked or self._probing is not None or self._probe is None:
            return
        if self._asking == 0 or len(self._parked) >= MOST_PARKED:
            self._probing = asyncio.ensure_future(self._ask(self._probe))

    async def _ask(self, probe: Probe) -> None:
        """Ask the probe, and tell everybody who waits what came of it."""
        error: Exception | None = None
        try:
            await probe()
        except Exception as problem:  # noqa: BLE001 - raised in all who wait for the verdict
            error = problem
        finally:
            self._probing = None
        if error is None:
            self._consider()  # whoever was refused since it was asked
            return
        parked, self._parked = self._parked, []
        for _, one in parked:
            if not one.done():
                one.set_exception(_stop(error))


def _stop(error: Exception) -> Exception:
    if not isinstance(error, TransientModelError | RowModelError):
        return error
    kind = "answers nobody" if isinstance(error, TransientModelError) else "refuses every request"
    stop = RunModelError(
        f"the provider {kind} any more, the last time: {error}; the run stopped, and what is finished is stored. "
        "Put this right (the account, the key, the model's name, the sampling settings, the server) and run the same "
        "command again."
    )
    stop.__cause__ = error
    return stop
