"""Files of requests, cut to the providers' limits, and files of results, whole or refused."""

from __future__ import annotations

import json
import tempfile
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evolver.calls.batch.submit import packed
from evolver.calls.batch.waiting import BatchItem
from evolver.calls.key import Origin
from evolver.errors import TransientModelError
from evolver.models.batch.files import new_file, objects
from evolver.models.factory import make_model
from evolver.models.protocol import Request, Sampling


class Small:
    """A batch API of which only the writing is used."""

    opening, between, closing = b"[", b",", b"]"

    def __init__(self, most_requests: int, most_bytes: int) -> None:
        self.most_requests = most_requests
        self.most_bytes = most_bytes

    def line(self, key: str, request: Request) -> bytes:
        return json.dumps([key, request.prompt]).encode()


def wave(prompts: list[str]) -> list[BatchItem]:
    return [
        BatchItem(f"k{number}", Request("evolve", prompt, Sampling(), "1.1"), Origin(1, None, None), 0)
        for number, prompt in enumerate(prompts)
    ]


def files(api: Any, items: list[BatchItem]) -> list[bytes]:
    found = []
    for file, _ in packed(api, items):
        with file:
            file.seek(0)
            found.append(file.read())
    return found


@given(st.lists(st.text(max_size=30), min_size=1, max_size=40), st.integers(1, 9), st.integers(60, 400))
@example(["a"] * 9, 3, 400)
@example(["a" * 10, "b" * 10], 9, 39)
@example(["a" * 10, "b" * 10], 9, 38)
def test_every_request_is_in_one_file_and_no_file_breaks_a_limit(
    prompts: list[str], most_requests: int, most_bytes: int
) -> None:
    written = files(Small(most_requests, most_bytes), wave(prompts))

    entries = [json.loads(content) for content in written]
    assert [prompt for entry in entries for _, prompt in entry] == prompts
    assert all(len(entry) <= most_requests for entry in entries)
    assert all(
        len(content) <= most_bytes or len(entry) == 1 for content, entry in zip(written, entries, strict=True)
    )


def test_two_requests_share_a_file_of_exactly_their_size() -> None:
    both = wave(["a" * 10, "b" * 10])
    (whole,) = files(Small(9, 10_000), both)

    assert len(files(Small(9, len(whole)), both)) == 1
    assert len(files(Small(9, len(whole) - 1), both)) == 2


@pytest.mark.parametrize(
    ("spec", "requests", "size"),
    [("openai:m", 50_000, 200_000_000), ("anthropic:m", 100_000, 256_000_000)],
)
def test_the_limits_are_those_of_the_providers(spec: str, requests: int, size: int) -> None:
    model: Any = make_model(spec, base_url="http://127.0.0.1:9/v1")
    api = model.batch_api()

    assert (api.most_requests, api.most_bytes) == (requests, size)


def test_an_openai_line_is_the_live_body_with_the_call_key() -> None:
    model: Any = make_model("openai:m", base_url="http://127.0.0.1:9/v1")
    line = json.loads(
        model.batch_api().line("key", Request("judge", "日本?", Sampling(0.0, None), "1.1", "sys"))
    )

    assert (line["custom_id"], line["method"], line["url"]) == ("key", "POST", "/v1/chat/completions")
    assert line["body"] == {
        "model": "m",
        "messages": [{"role": "system", "content": "sys"}, {"role": "user", "content": "日本?"}],
        "temperature": 0.0,
        "max_tokens": 2048,
    }


def test_results_that_did_not_come_whole_are_worth_another_try() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b'{"custom_id": "a"}\n{"custom_i')
        with pytest.raises(TransientModelError, match="no JSON lines"):
            list(objects(file, "who"))


def test_results_larger_than_memory_allows_are_read_back_line_by_line() -> None:
    file = new_file()
    file.write(
        b"".join(json.dumps({"n": number, "text": "x" * 200}).encode() + b"\n" for number in range(9_000))
    )

    assert [entry["n"] for entry in objects(file, "who")] == list(range(9_000))
