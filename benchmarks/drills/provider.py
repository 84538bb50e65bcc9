"""Drills at the provider: it is not there, it goes, it comes back, it fails one request, the account is empty."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

from benchmarks.drills.command import Ended
from benchmarks.drills.ground import CALLS, LATENCY, SEEDS, Ground
from benchmarks.llmsim.process import HOST, SimServer

_SOON = 5.0
_MIDDLE = CALLS // 3


def sim(port: int = 0, **more: object) -> SimServer:
    """Start the provider as every drill has it."""
    return SimServer(style="offline", latency=LATENCY, retry_after=0.0, port=port, **more)


def _named(ground: Ground, address: str, cause: str) -> str:
    """Ask at an address where nobody answers; the cause must be named soon, and the run must end."""
    with ground.start(address=address) as command:
        after = command.told(cause, within=60)
        ended = command.wait()
    ground.stopped(ended)
    named = -1.0 if after is None else after - ground.began
    ground.check(
        f"the cause is not named within {_SOON:g} s: {named:.1f}, {ended.said[-300:]}", 0 <= named <= _SOON
    )
    return f"the cause {named:.1f} s after the run began, given up after {ended.seconds:.0f} s: “{_cause(ended)}”"


def _cause(ended: Ended) -> str:
    """Return what a command that gave up says of the cause."""
    return ended.last.partition("the last time: ")[2].partition("; the run stopped")[0] or ended.last


def refused(ground: Ground) -> str:
    """Nobody listens at the address."""
    ground.server.stop()
    saw = _named(ground, ground.address, "nothing listens")
    ground.server = sim(ground.server.port)
    ground.finishes()
    return saw


def unknown_host(ground: Ground) -> str:
    """The host's name is unknown."""
    return _named(ground, "http://no-such-host.invalid/v1", "no-such-host.invalid.*(resolv|not known|name)")


def silent_host(ground: Ground) -> str:
    """Packets to the address are dropped: no connection is made, and none is refused."""
    with _full_backlog() as port:
        return _named(ground, f"http://{HOST}:{port}/v1", "nobody takes")


def hangs_up(ground: Ground) -> str:
    """Something that is no provider takes each connection and closes it."""
    with _hanging_up() as port:
        return _named(ground, f"http://{HOST}:{port}/v1", "the connection of .* broke")


def no_tls(ground: Ground) -> str:
    """https is asked of a server that speaks http."""
    address = ground.address.replace("http://", "https://")
    return _named(ground, address, "TLS")


def down_for_good(ground: Ground) -> str:
    """The provider goes in the middle of the run, and does not come back while it lasts."""
    port = ground.server.port
    with ground.start() as command:
        ground.until_calls(_MIDDLE)
        kept = ground.count("SELECT COUNT(*) FROM calls")
        ground.server.stop()
        gone = time.monotonic()
        ended = command.wait()
        seconds = time.monotonic() - gone
    ground.stopped(ended)
    ground.check("paid calls were lost", ground.count("SELECT COUNT(*) FROM calls") >= kept)
    ground.server = sim(port)
    ground.finishes()
    return f"stopped {seconds:.0f} s after it went: “{_cause(ended)}”"


def down_for_a_minute(ground: Ground) -> str:
    """The provider goes in the middle of the run, and is back after a minute."""
    port = ground.server.port
    with ground.start() as command:
        ground.until_calls(_MIDDLE)
        ground.server.stop()
        time.sleep(60)
        ground.server = sim(port)
        ended = command.wait()
    ground.stopped(ended, code=0, status="finished")
    ground.finishes()
    return f"waited for, finished after {ended.seconds:.0f} s"


def frozen_for_a_minute(ground: Ground) -> str:
    """The provider takes calls for a minute and answers none, with a time limit of 5 s."""
    ground.more = ["--timeout", "5"]
    with ground.start() as command:
        ground.until_calls(_MIDDLE)
        os.kill(ground.server.pid, signal.SIGSTOP)
        time.sleep(60)
        os.kill(ground.server.pid, signal.SIGCONT)
        ended = command.wait()
    ground.stopped(ended, code=0, status="finished")
    ground.finishes()
    return f"waited for, finished after {ended.seconds:.0f} s"


def one_request(ground: Ground, fails_as: str) -> str:
    """One prompt always fails, all others are answered; mended afterwards, the failed attempts are made again."""
    ground.more = ["--timeout", "2"]
    ground.server.configure(fail_phrase="the number 007 matters", fail_as=fails_as)
    with ground.start() as command:
        ended = command.wait()
    ground.stopped(ended, code=0, status="finished")
    failed = ground.count("SELECT COUNT(*) FROM instructions WHERE status = 'failed'")
    others = ground.count(
        "SELECT COUNT(DISTINCT root_id) FROM instructions WHERE epoch > 0 AND status <> 'failed'"
    )
    ground.check(f"{others} of {SEEDS - 1} other lineages were made", others >= SEEDS - 1)
    ground.check("nothing is stored as failed", failed)
    ground.check("--retry-failed is not named", "--retry-failed" in ended.said)
    ground.server.configure(fail_phrase="")
    ground.finishes(more=("--retry-failed",))
    return (
        f"{failed} attempts failed, all others made, in {ended.seconds:.0f} s; --retry-failed made them again"
    )


@dataclass(frozen=True, slots=True)
class Empty:
    """How a provider says that the account is empty."""

    who: str
    status: int
    words: str
    kind: str = "invalid_request_error"
    code: str = ""
    model: str = "openai:gpt-4.1-mini"


_CLAUDE = "anthropic:claude-sonnet-4-0"
EMPTY = (
    Empty("OpenAI", 429, "You exceeded your current quota, please check your plan and billing details.",
          "insufficient_quota", "insufficient_quota"),
    Empty("OpenAI, hard limit", 400, "Billing hard limit has been reached", "invalid_request_error",
          "billing_hard_limit_reached"),
    Empty("OpenAI, deactivated", 403, "Your account is not active, please check your billing details on our website.",
          "billing_not_active", "billing_not_active"),
    Empty("Anthropic", 400, "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing "
          "to upgrade or purchase credits.", model=_CLAUDE),
    Empty("Anthropic, billing", 402, "There's an issue with your billing or payment information.", "billing_error",
          model=_CLAUDE),
    Empty("Anthropic, cap", 403, "You have reached your specified API usage limits. You will regain access on "
          "2026-12-01 at 00:00 UTC.", "permission_error", model=_CLAUDE),
    Empty("Anthropic, 429", 429, "This organization has run out of prepaid credit.", "rate_limit_error", model=_CLAUDE),
    Empty("OpenRouter", 402, "This request requires more credits, or fewer max_tokens. You requested up to 2048 "
          "tokens, but can only afford 12.", "", "402"),
    Empty("DeepSeek", 402, "Insufficient Balance", "unknown_error", "invalid_request_error"),
    Empty("Together", 402, "Credit limit exceeded, please add a payment method.", "credit_limit"),
    Empty("Mistral-like", 403, "Service tier capacity of your workspace is used up", "forbidden", "3505"),
    Empty("a gateway, 400", 400, "Budget has been exceeded! Current cost: 10.02, Max budget: 10.0", "budget_exceeded",
          "400"),
    Empty("a gateway, 403", 403, "wallet drained", "AccessDenied"),
    Empty("a gateway, 429", 429, "Tokens of this project are spent until the first of the month", "quota"),
)  # fmt: skip


def account_empty(ground: Ground, empty: Empty) -> str:
    """The account runs empty in the middle of the run; after a top-up the same command goes on."""
    ground.model = empty.model
    ground.server.configure(
        credit_after=_MIDDLE, credit_status=empty.status, credit_words=empty.words, credit_kind=empty.kind,
        credit_code=empty.code, retry_after=-1.0,
    )  # fmt: skip
    with ground.start() as command:
        ground.until_calls(_MIDDLE)
        since = time.monotonic()
        ended = command.wait()
        seconds = time.monotonic() - since
    ground.stopped(ended, says=" ".join(empty.words.split()[:5]))
    ground.check("attempts were stored as failed", not ground.count(
        "SELECT COUNT(*) FROM instructions WHERE status = 'failed'"))  # fmt: skip
    ground.server.configure(credit_after=-1, retry_after=0.0)
    ground.finishes()
    return f"stopped {seconds:.1f} s after the last answer, nothing stored as failed"


@contextmanager
def _full_backlog() -> Iterator[int]:
    """Yield a port where connections are neither made nor refused, as at an address that a firewall drops."""
    with closing(socket.socket()) as listener:
        listener.bind((HOST, 0))
        listener.listen(0)
        port = int(listener.getsockname()[1])
        filling = [socket.socket() for _ in range(4)]
        for one in filling:
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect((HOST, port))
        try:
            yield port
        finally:
            for one in filling:
                one.close()


@contextmanager
def _hanging_up() -> Iterator[int]:
    """Yield a port where each connection is closed as soon as something was said."""
    with closing(socket.socket()) as listener:
        listener.bind((HOST, 0))
        listener.listen(64)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    one, _ = listener.accept()
                    with one:
                        one.recv(1024)

        threading.Thread(target=serve, daemon=True).start()
        yield int(listener.getsockname()[1])
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
