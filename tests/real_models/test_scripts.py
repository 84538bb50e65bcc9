"""Plain Python scripts that pay: Ctrl-C keeps the calls in flight, as it does for the command."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.llmsim.process import SimServer
from evolver.errors import StoppedError
from evolver.interrupts import interruptible

SCRIPT = """
import sys
from evolver import Evolution, StoppedError, Stopping

def listen(event):
    if isinstance(event, Stopping):
        print(event.in_flight, flush=True)

options = dict(pool="pool.json", model="openai:gpt-4.1-mini", base_url=sys.argv[1], concurrency=8, epochs=2)
try:
    result = Evolution(**options, on_event=listen).run()
except StoppedError as error:
    sys.exit(f"stopped: {error}")
print(result.stats.attempts)
"""

Ask = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def script(pool: Path, server: SimServer, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts the script as a process of its own."""
    begun: list[subprocess.Popen[str]] = []

    def begin() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SCRIPT, server.openai_base_url]
        pipe = subprocess.PIPE
        begun.append(subprocess.Popen(command, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True))
        return begun[-1]

    yield begin
    for process in begun:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_script_that_is_interrupted_keeps_the_calls_in_flight(
    number: signal.Signals,
    script: Callable[[], subprocess.Popen[str]],
    server: SimServer,
    ask_store: Ask,
) -> None:
    server.configure(hold_after=40)
    running = script()
    server.wait(held=8)

    running.send_signal(number)
    assert running.stdout is not None
    in_flight = running.stdout.readline()
    server.configure(hold=False)
    out, said = running.communicate()

    assert (running.returncode, in_flight, out) == (1, "8\n", "")
    assert said.startswith("stopped: the run was stopped; what is finished is stored")
    paid = server.stats()["requests"]
    assert paid == 48
    assert ask_store("SELECT count(*) AS kept FROM calls") == [{"kept": paid}]
    assert ask_store("SELECT status FROM runs") == [{"status": "stopped"}]
    again = script()
    assert again.communicate() == ("120\n", "")
    assert server.stats()["asked_again"]["total"] == 0


def test_a_second_interrupt_ends_a_script_at_once(
    script: Callable[[], subprocess.Popen[str]], server: SimServer, ask_store: Ask
) -> None:
    server.configure(hold_after=40)
    running = script()
    server.wait(held=8)
    running.send_signal(signal.SIGINT)
    running.send_signal(signal.SIGTERM)  # another number, so that the system cannot fold the two into one

    _, said = running.communicate()  # the server still holds its answers back

    server.configure(hold=False)
    assert "stopped: interrupted twice; calls in flight were let go" in said
    assert ask_store("SELECT count(*) AS kept FROM calls") == [{"kept": 40}]


class WithoutSignals(asyncio.SelectorEventLoop):
    """A loop as Windows has it."""

    def add_signal_handler(self, *_: object) -> None:
        raise NotImplementedError


def test_a_loop_without_signal_handlers_hears_ctrl_c_all_the_same() -> None:
    heard: list[str] = []
    before = signal.getsignal(signal.SIGINT)

    async def work() -> str:
        stopped = asyncio.Event()

        async def pressed() -> str:
            os.kill(os.getpid(), signal.SIGINT)
            await stopped.wait()
            return "kept"

        def stop() -> None:
            heard.append("stop")
            stopped.set()

        return await interruptible(pressed(), stop)

    with asyncio.Runner(loop_factory=WithoutSignals) as runner:
        assert runner.run(work()) == "kept"
    assert heard == ["stop"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_loop_without_signal_handlers_ends_at_once_on_the_second_ctrl_c() -> None:
    async def pressed() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()

    with asyncio.Runner(loop_factory=WithoutSignals) as runner, pytest.raises(StoppedError, match="twice"):
        runner.run(interruptible(pressed(), lambda: None))
