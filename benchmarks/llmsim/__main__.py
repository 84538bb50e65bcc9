"""Serve until SIGTERM, SIGINT or, with ``--until-stdin-ends``, the end of standard input."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys

from benchmarks.llmsim.app import App
from benchmarks.llmsim.config import Config, parse_arguments
from benchmarks.llmsim.wire import Connection

UNTIL_STDIN_ENDS = "--until-stdin-ends"


async def serve(host: str, port: int, config: Config, *, until_stdin_ends: bool) -> None:
    """Listen, say so on standard output, and serve until told to end."""
    loop = asyncio.get_running_loop()
    app = App(config)
    server = await loop.create_server(lambda: Connection(app.handle), host, port, backlog=4096)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if until_stdin_ends:
        loop.add_reader(0, lambda: ended.set() if not os.read(0, 1024) else None)
    print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
    await ended.wait()
    server.close()


def main() -> None:
    """Read the command line and serve."""
    arguments = sys.argv[1:]
    until_stdin_ends = UNTIL_STDIN_ENDS in arguments
    if until_stdin_ends:
        arguments.remove(UNTIL_STDIN_ENDS)
    host, port, config = parse_arguments(arguments)
    gc.freeze()
    gc.set_threshold(
        50_000, 50, 50
    )  # nothing here makes cycles, and every scan is taken from the client's core
    asyncio.run(serve(host, port, config, until_stdin_ends=until_stdin_ends))


if __name__ == "__main__":
    main()
