"""The simulated provider's HTTP, byte by byte over a real socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from benchmarks.llmsim.process import HOST, SimServer

BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Why?"}]}).encode()
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n"
PLAIN = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture(scope="module")
def wired() -> Iterator[SimServer]:
    with SimServer() as server:
        yield server


@pytest.fixture
def line(wired: SimServer) -> Iterator[socket.socket]:
    with socket.create_connection((HOST, wired.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def read_response(line: socket.socket) -> tuple[int, bytes]:
    """Read one response, or what there is of it when the connection ends."""
    with line.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        length = 0
        while (header := stream.readline()) not in {b"\r\n", b""}:
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return status, stream.read(length)


def test_a_request_that_comes_byte_by_byte_is_answered(line: socket.socket) -> None:
    for byte in PLAIN:
        line.sendall(bytes([byte]))

    status, body = read_response(line)
    assert (status, json.loads(body)["object"]) == (200, "chat.completion")


def test_a_chunked_body_is_put_together(line: socket.socket) -> None:
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    first, second = BODY[:9], BODY[9:]
    line.sendall(head + b"%x\r\n%b\r\n%x;name=value\r\n" % (len(first), first, len(second)))
    line.sendall(second + b"\r\n0\r\n\r\n")

    assert read_response(line)[0] == 200


def test_one_connection_serves_one_request_after_the_other(line: socket.socket) -> None:
    answers = []
    for _ in range(3):
        line.sendall(PLAIN)
        answers.append(read_response(line)[0])

    assert answers == [200] * 3


def test_bytes_that_are_no_request_are_refused_and_the_connection_closed(line: socket.socket) -> None:
    line.sendall(b"nonsense\r\n\r\n")

    assert read_response(line)[0] == 400
    assert line.recv(1) == b""


def test_a_body_that_is_no_json_is_an_invalid_request(line: socket.socket) -> None:
    line.sendall(HEAD + b"Content-Length: 1\r\n\r\n{")

    status, body = read_response(line)
    assert (status, json.loads(body)["error"]["type"]) == (400, "invalid_request_error")


def test_a_dropped_answer_promises_more_than_it_sends(wired: SimServer, line: socket.socket) -> None:
    wired.configure(rate_drop=1.0)
    line.sendall(PLAIN)
    received = b""
    while part := line.recv(65536):
        received += part
    wired.configure(rate_drop=0.0)

    head, _, body = received.partition(b"\r\n\r\n")
    promised = int(head.lower().partition(b"content-length: ")[2].split()[0])
    assert head.startswith(b"HTTP/1.1 200")
    assert 0 < len(body) < promised


def test_an_unknown_path_is_not_found(line: socket.socket) -> None:
    line.sendall(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")

    assert read_response(line)[0] == 404


def test_the_server_ends_when_the_process_that_started_it_does(wired: SimServer) -> None:
    server = SimServer()
    assert server._process.stdin is not None
    server._process.stdin.close()

    assert server._process.wait(timeout=10) == 0
    server.stop()
