"""The simulated batch APIs, driven by the providers' own SDKs over real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import anthropic
import openai
import pytest
from anthropic.types.messages import MessageBatchIndividualResponse

from benchmarks.llmsim.process import SimServer


@pytest.fixture(scope="module")
def shared_batches() -> Iterator[SimServer]:
    with SimServer() as server:
        yield server


@pytest.fixture
def sim(shared_batches: SimServer) -> Iterator[SimServer]:
    """One server for all tests of this file, with its settings and counters as at the start."""
    before = shared_batches.configure()
    shared_batches.reset()
    yield shared_batches
    shared_batches.configure(**before)


@pytest.fixture(scope="module")
def openai_client(shared_batches: SimServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=shared_batches.openai_base_url, api_key="k", max_retries=0, timeout=10
    ) as client:
        yield client


@pytest.fixture(scope="module")
def anthropic_client(shared_batches: SimServer) -> Iterator[anthropic.Anthropic]:
    url = shared_batches.anthropic_base_url
    with anthropic.Anthropic(base_url=url, api_key="k", max_retries=0, timeout=10) as client:
        yield client


@pytest.fixture
def chat(sim: SimServer, openai_client: openai.OpenAI) -> openai.OpenAI:
    return openai_client


@pytest.fixture
def claude(sim: SimServer, anthropic_client: anthropic.Anthropic) -> anthropic.Anthropic:
    return anthropic_client


def chat_body(number: int) -> dict[str, Any]:
    return {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": f"Question {number}"}]}


def line(number: int, **changes: Any) -> dict[str, Any]:
    request = {"custom_id": f"r{number}", "method": "POST", "url": "/v1/chat/completions"}
    return {**request, "body": chat_body(number), **changes}


def upload(client: openai.OpenAI, lines: Sequence[dict[str, Any]]) -> str:
    content = "".join(json.dumps(entry) + "\n" for entry in lines).encode()
    return client.files.create(file=("requests.jsonl", content), purpose="batch").id


def submit(client: openai.OpenAI, lines: Sequence[dict[str, Any]], **metadata: str) -> Any:
    return client.batches.create(
        input_file_id=upload(client, lines),
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata=metadata,
    )


def results(client: openai.OpenAI, file_id: str | None) -> list[dict[str, Any]]:
    assert file_id is not None
    return [json.loads(entry) for entry in client.files.content(file_id).text.splitlines()]


def message_request(number: int, **changes: Any) -> Any:
    params = {"model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": f"Question {number}"}]}
    return {"custom_id": f"r{number}", "params": {**params, **changes}}


def outcomes(client: anthropic.Anthropic, batch: str) -> dict[str, MessageBatchIndividualResponse]:
    return {entry.custom_id: entry for entry in client.messages.batches.results(batch)}


def test_an_uploaded_file_comes_back_byte_for_byte(chat: openai.OpenAI) -> None:
    content = b'{"a": "\xe6\x97\xa5"}\r\n\r\n--x--\r\n\x00'
    file = chat.files.create(file=("requests.jsonl", content), purpose="batch")

    assert chat.files.content(file.id).content == content
    assert (chat.files.retrieve(file.id).bytes, file.filename) == (len(content), "requests.jsonl")


def test_an_openai_batch_gives_the_answers_of_live_calls_in_another_order(
    sim: SimServer, chat: openai.OpenAI
) -> None:
    batch = submit(chat, [line(number) for number in range(20)], key="abc")
    done = chat.batches.retrieve(batch.id)
    answers = results(chat, done.output_file_id)
    live = chat.chat.completions.create(**chat_body(7))

    assert (batch.status, done.status, done.metadata) == ("validating", "completed", {"key": "abc"})
    assert done.request_counts is not None
    assert (done.request_counts.total, done.request_counts.completed) == (20, 20)
    ids = [answer["custom_id"] for answer in answers]
    assert ids != sorted(ids, key=lambda id_: int(id_[1:]))
    body = next(answer["response"]["body"] for answer in answers if answer["custom_id"] == "r7")
    assert body["choices"][0]["message"]["content"] == live.choices[0].message.content


def test_a_held_openai_batch_is_in_progress_until_it_is_released(sim: SimServer, chat: openai.OpenAI) -> None:
    sim.configure(batch_hold=True)
    batch = submit(chat, [line(1)])
    held = chat.batches.retrieve(batch.id)
    sim.configure(batch_hold=False)

    assert (held.status, held.output_file_id) == ("in_progress", None)
    assert chat.batches.retrieve(batch.id).status == "completed"


def test_errored_and_expired_openai_requests_are_in_the_error_file(
    sim: SimServer, chat: openai.OpenAI
) -> None:
    sim.configure(batch_rate_errored=0.2, batch_rate_expired=0.2)
    done = chat.batches.retrieve(submit(chat, [line(number) for number in range(100)]).id)
    failed = results(chat, done.error_file_id)
    expired = [entry for entry in failed if entry["error"]]
    errored = [entry for entry in failed if entry["response"]]

    assert done.status == "expired"
    assert 5 <= len(expired) <= 40
    assert 5 <= len(errored) <= 40
    assert {entry["error"]["code"] for entry in expired} == {"batch_expired"}
    assert {entry["response"]["status_code"] for entry in errored} == {500}
    assert len(failed) + len(results(chat, done.output_file_id)) == 100


def test_a_cancelled_openai_batch_keeps_what_was_done(sim: SimServer, chat: openai.OpenAI) -> None:
    sim.configure(batch_hold=True)
    batch = submit(chat, [line(number) for number in range(10)])
    cancelling = chat.batches.cancel(batch.id)
    cancelled = chat.batches.retrieve(batch.id)

    assert (cancelling.status, cancelled.status) == ("cancelling", "cancelled")
    assert len(results(chat, cancelled.output_file_id)) == 5


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "empty_file"),
        ([line(1), line(1)], "duplicate_custom_id"),
        ([line(1), line(2, body={"model": "other"})], "mismatched_model"),
        ([line(1, url="/v1/embeddings")], "invalid_url"),
        ([{"custom_id": "r1"}], "invalid_json_line"),
        ([{**line(0), "custom_id": f"r{number}"} for number in range(50_001)], "too_many_tasks"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_openai_batch_of_invalid_requests_fails_and_says_why(
    chat: openai.OpenAI, lines: list[dict[str, Any]], code: str
) -> None:
    failed = chat.batches.retrieve(submit(chat, lines).id)

    assert failed.status == "failed"
    assert failed.errors is not None
    assert [error.code for error in failed.errors.data or []] == [code]


def test_a_batch_of_a_missing_file_or_with_too_long_metadata_is_refused(chat: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="No such File"):
        chat.batches.create(input_file_id="file-x", endpoint="/v1/chat/completions", completion_window="24h")
    with pytest.raises(openai.BadRequestError, match="512"):
        submit(chat, [line(1)], key="x" * 513)
    with pytest.raises(openai.NotFoundError):
        chat.batches.retrieve("batch_x")


def test_openai_batches_are_listed_page_by_page_the_newest_first(chat: openai.OpenAI) -> None:
    made = [submit(chat, [line(number)]).id for number in range(5)]
    page = chat.batches.list(limit=2)

    assert [batch.id for batch in page.data] == [made[4], made[3]]
    assert [batch.id for batch in chat.batches.list(limit=2)][:5] == made[::-1]


def test_a_lost_answer_leaves_a_batch_that_its_metadata_finds(sim: SimServer, chat: openai.OpenAI) -> None:
    sim.configure(batch_lose_answers=1)
    with pytest.raises(openai.APIConnectionError):
        submit(chat, [line(1)], key="lost")

    assert (chat.batches.list(limit=1).data[0].metadata or {}) == {"key": "lost"}
    assert submit(chat, [line(2)]).status == "validating"


def test_an_anthropic_batch_gives_the_answers_of_live_calls_in_another_order(
    claude: anthropic.Anthropic,
) -> None:
    batch = claude.messages.batches.create(requests=[message_request(number) for number in range(20)])
    done = claude.messages.batches.retrieve(batch.id)
    found = outcomes(claude, batch.id)
    live = claude.messages.create(**message_request(7)["params"])

    assert (batch.processing_status, batch.request_counts.processing) == ("in_progress", 20)
    assert (done.processing_status, done.request_counts.succeeded) == ("ended", 20)
    assert list(found) != sorted(found, key=lambda id_: int(id_[1:]))
    result = found["r7"].result
    assert result.type == "succeeded"
    assert result.message.content == live.content


def test_anthropic_requests_end_errored_expired_or_invalid_one_by_one(
    sim: SimServer, claude: anthropic.Anthropic
) -> None:
    sim.configure(batch_rate_errored=0.2, batch_rate_expired=0.2)
    requests = [message_request(number) for number in range(100)] + [message_request(100, max_tokens=0)]
    batch = claude.messages.batches.create(requests=requests)
    counts = claude.messages.batches.retrieve(batch.id).request_counts
    found = outcomes(claude, batch.id)

    assert counts.succeeded + counts.errored + counts.expired == 101
    assert 5 <= counts.expired <= 40
    invalid = found["r100"].result
    assert invalid.type == "errored"
    assert invalid.error.error.type == "invalid_request_error"
    assert sum(entry.result.type == "expired" for entry in found.values()) == counts.expired


def test_expired_requests_can_succeed_when_submitted_again(
    sim: SimServer, claude: anthropic.Anthropic
) -> None:
    sim.configure(batch_rate_expired=0.5)
    wanted = {f"r{number}": message_request(number) for number in range(20)}
    rounds = 0
    while wanted and rounds < 20:
        batch = claude.messages.batches.create(requests=list(wanted.values()))
        claude.messages.batches.retrieve(batch.id)
        for id_, entry in outcomes(claude, batch.id).items():
            if entry.result.type == "succeeded":
                del wanted[id_]
        rounds += 1
    figures = sim.stats()["batches"]

    assert 1 < rounds < 20
    assert figures["custom_ids"]["repeated"]["total"] == 0
    assert figures["custom_ids"]["asked_again"]["total"] > 0
    assert (figures["succeeded"], figures["contents"]["distinct"]) == (20, 20)


def test_a_cancelled_anthropic_batch_keeps_what_was_done(sim: SimServer, claude: anthropic.Anthropic) -> None:
    sim.configure(batch_hold=True)
    batch = claude.messages.batches.create(requests=[message_request(number) for number in range(10)])
    canceling = claude.messages.batches.cancel(batch.id)
    ended = claude.messages.batches.retrieve(batch.id)

    assert (canceling.processing_status, ended.processing_status) == ("canceling", "ended")
    assert (ended.request_counts.succeeded, ended.request_counts.canceled) == (5, 5)


@pytest.mark.parametrize(
    "requests",
    [[], [message_request(1), message_request(1)], [{**message_request(1), "custom_id": "a:b"}]],
    ids=["none", "a custom id twice", "a custom id with a colon"],
)
def test_an_anthropic_batch_of_invalid_requests_is_refused(
    claude: anthropic.Anthropic, requests: list[Any]
) -> None:
    with pytest.raises(anthropic.BadRequestError):
        claude.messages.batches.create(requests=requests)


def test_anthropic_batches_are_listed_both_ways(claude: anthropic.Anthropic) -> None:
    made = [claude.messages.batches.create(requests=[message_request(n)]).id for n in range(5)]
    newest = claude.messages.batches.list(limit=2)
    back = claude.messages.batches.list(limit=2, before_id=made[1])

    assert [batch.id for batch in newest.data] == [made[4], made[3]]
    assert [batch.id for batch in claude.messages.batches.list(limit=2)][:5] == made[::-1]
    assert ([batch.id for batch in back.data], back.has_more) == ([made[3], made[2]], True)


def test_results_of_a_batch_in_progress_are_not_to_be_had(
    sim: SimServer, claude: anthropic.Anthropic
) -> None:
    sim.configure(batch_hold=True)
    batch = claude.messages.batches.create(requests=[message_request(1)])

    with pytest.raises(anthropic.AnthropicError, match="results_url"):
        claude.messages.batches.results(batch.id)


def test_stats_tell_what_was_submitted_and_paid_twice(sim: SimServer, chat: openai.OpenAI) -> None:
    for _ in range(2):
        chat.batches.retrieve(submit(chat, [line(1), line(2)]).id)
    figures = sim.stats()["batches"]

    assert (figures["submitted"], figures["requests"], figures["succeeded"]) == (2, 4, 4)
    assert figures["contents"]["asked_again"] == {"total": 2, "max": 2}
    assert figures["custom_ids"]["repeated"] == {"total": 2, "max": 2}


def test_a_bad_key_is_refused_at_the_batch_apis_too(
    sim: SimServer, chat: openai.OpenAI, claude: anthropic.Anthropic
) -> None:
    sim.configure(require_key="sk-other")

    with pytest.raises(openai.AuthenticationError):
        upload(chat, [line(1)])
    with pytest.raises(anthropic.AuthenticationError):
        claude.messages.batches.create(requests=[message_request(1)])
