"""The simulated provider's live APIs, driven by the providers' own SDKs over real sockets."""

from __future__ import annotations

import asyncio
import math
import statistics
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import openai
import pytest

from benchmarks.llmsim.api import Ask
from benchmarks.llmsim.config import Config
from benchmarks.llmsim.draws import digest, uniform
from benchmarks.llmsim.model import SimulatedModel
from benchmarks.llmsim.process import SimServer

EVOLVE = "Make it harder.\n#Given Prompt#:\nSort a list.\nIt has 3 items.\n#Rewritten Prompt#:\n"
JUDGE = "Are they equal?\n#First Prompt#:\na\n#Second Prompt#:\nb\n#Your Judgement#:\n"


@pytest.fixture(scope="module")
def shared() -> Iterator[SimServer]:
    with SimServer() as server:
        yield server


@pytest.fixture
def sim(shared: SimServer) -> Iterator[SimServer]:
    """One server for all tests of this file, with its settings and counters as at the start."""
    before = shared.configure()
    shared.reset()
    yield shared
    shared.configure(**before)


@pytest.fixture(scope="module")
def openai_client(shared: SimServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=shared.openai_base_url, api_key="sk-good", max_retries=0, timeout=10
    ) as client:
        yield client


@pytest.fixture(scope="module")
def anthropic_client(shared: SimServer) -> Iterator[anthropic.Anthropic]:
    url = shared.anthropic_base_url
    with anthropic.Anthropic(base_url=url, api_key="sk-good", max_retries=0, timeout=10) as client:
        yield client


@pytest.fixture
def chat(sim: SimServer, openai_client: openai.OpenAI) -> openai.OpenAI:
    return openai_client


@pytest.fixture
def claude(sim: SimServer, anthropic_client: anthropic.Anthropic) -> anthropic.Anthropic:
    return anthropic_client


def complete(client: openai.OpenAI, prompt: str = "Why?", **options: Any) -> Any:
    options = {"model": "gpt-4.1-mini", **options}
    return client.chat.completions.create(messages=[{"role": "user", "content": prompt}], **options)


def message(client: anthropic.Anthropic, prompt: str = "Why?", **options: Any) -> Any:
    options = {"model": "claude-3-test", "max_tokens": 2048, **options}
    return client.messages.create(messages=[{"role": "user", "content": prompt}], **options)


def test_an_openai_answer_has_text_usage_and_finish_reason(chat: openai.OpenAI) -> None:
    answer = complete(chat, "x" * 40)

    assert answer.choices[0].finish_reason == "stop"
    assert 88 <= len(answer.choices[0].message.content.split()) <= 150
    assert answer.usage.prompt_tokens == 10
    assert answer.usage.total_tokens == 10 + answer.usage.completion_tokens


def test_an_openai_response_carries_its_request_id_and_the_limits(chat: openai.OpenAI) -> None:
    raw = chat.chat.completions.with_raw_response.create(
        model="gpt-4.1-mini", messages=[{"role": "user", "content": "Why?"}]
    )

    assert (raw.request_id or "").startswith("req_")
    assert raw.headers["x-ratelimit-limit-requests"] == "1000000"


def test_an_anthropic_answer_has_text_usage_and_stop_reason(claude: anthropic.Anthropic) -> None:
    answer = message(claude, "x" * 40)

    assert answer.stop_reason == "end_turn"
    assert answer.content[0].text.startswith("Case ")
    assert answer.usage.input_tokens == 10
    assert answer._request_id.startswith("req_")


def test_the_async_clients_over_aiohttp_are_served_alike(sim: SimServer) -> None:
    async def both() -> tuple[str | None, str]:
        http = openai.DefaultAioHttpClient()
        async with openai.AsyncOpenAI(base_url=sim.openai_base_url, api_key="k", http_client=http) as first:
            said = await first.chat.completions.create(
                model="m", messages=[{"role": "user", "content": JUDGE}]
            )
        other = anthropic.DefaultAioHttpClient()
        async with anthropic.AsyncAnthropic(
            base_url=sim.anthropic_base_url, api_key="k", http_client=other
        ) as second:
            told = await second.messages.create(
                model="m", max_tokens=9, messages=[{"role": "user", "content": JUDGE}]
            )
        return said.choices[0].message.content, told.content[0].text  # type: ignore[union-attr]

    assert asyncio.run(both()) == ("Not Equal", "Not Equal")


def test_models_are_listed(chat: openai.OpenAI) -> None:
    assert "gpt-4.1-mini" in [model.id for model in chat.models.list()]


def test_an_evolving_prompt_is_answered_with_the_instruction_and_one_constraint_more(
    chat: openai.OpenAI,
) -> None:
    text = complete(chat, EVOLVE).choices[0].message.content

    assert text.startswith("Sort a list.\nIt has 3 items. ")
    assert 5 <= len(text.removeprefix("Sort a list.\nIt has 3 items. ").split()) <= 20


def test_a_judging_prompt_is_answered_not_equal(claude: anthropic.Anthropic) -> None:
    assert message(claude, JUDGE).content[0].text == "Not Equal"


def test_the_same_question_has_the_same_answer_and_other_sampling_another(chat: openai.OpenAI) -> None:
    first, second, warmer = complete(chat), complete(chat), complete(chat, temperature=0.5)

    assert first.choices[0].message.content == second.choices[0].message.content
    assert first.choices[0].message.content != warmer.choices[0].message.content


def test_the_echo_style_says_the_prompt_again(sim: SimServer, chat: openai.OpenAI) -> None:
    sim.configure(style="echo")

    assert complete(chat, "naïve 日本 🙂").choices[0].message.content == "naïve 日本 🙂"


def test_an_answer_longer_than_the_token_limit_is_cut_there(chat: openai.OpenAI) -> None:
    answer = complete(chat, max_tokens=5)

    assert answer.choices[0].finish_reason == "length"
    assert len(answer.choices[0].message.content) == 20


TROUBLES = [
    ({"require_key": "sk-other"}, openai.AuthenticationError, "invalid_api_key"),
    ({"forbidden": True}, openai.PermissionDeniedError, "missing_scope"),
    ({"quota_exhausted": True}, openai.RateLimitError, "insufficient_quota"),
    ({"storm_429": True}, openai.RateLimitError, "rate_limit_exceeded"),
    ({"rate_429": 1.0}, openai.RateLimitError, "rate_limit_exceeded"),
    ({"rate_500": 1.0}, openai.InternalServerError, None),
    ({"rate_529": 1.0}, openai.InternalServerError, None),
    ({"policy_phrase": "Why"}, openai.BadRequestError, "content_policy_violation"),
]


@pytest.mark.parametrize(("settings", "error", "code"), TROUBLES, ids=lambda value: str(value)[:40])
def test_each_trouble_reaches_the_openai_client_as_its_own_class(
    sim: SimServer,
    chat: openai.OpenAI,
    settings: dict[str, Any],
    error: type[openai.APIStatusError],
    code: str | None,
) -> None:
    sim.configure(**settings)

    with pytest.raises(error) as caught:
        complete(chat)
    assert caught.value.code == code
    assert isinstance(caught.value.body, dict)
    assert set(caught.value.body) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("settings", "error", "kind"),
    [
        ({"require_key": "sk-other"}, anthropic.AuthenticationError, "authentication_error"),
        ({"forbidden": True}, anthropic.PermissionDeniedError, "permission_error"),
        ({"quota_exhausted": True}, anthropic.APIStatusError, "billing_error"),
        ({"storm_429": True}, anthropic.RateLimitError, "rate_limit_error"),
        ({"rate_500": 1.0}, anthropic.InternalServerError, "api_error"),
        ({"rate_529": 1.0}, anthropic.InternalServerError, "overloaded_error"),
        ({"policy_phrase": "Why"}, anthropic.BadRequestError, "invalid_request_error"),
        ({"rate_filter": 1.0}, anthropic.BadRequestError, "invalid_request_error"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_trouble_reaches_the_anthropic_client_as_its_own_class(
    sim: SimServer,
    claude: anthropic.Anthropic,
    settings: dict[str, Any],
    error: type[anthropic.APIStatusError],
    kind: str,
) -> None:
    sim.configure(**settings)

    with pytest.raises(error) as caught:
        message(claude)
    assert caught.value.type == kind


def test_an_overloaded_provider_says_529_at_anthropic_and_503_at_openai(
    sim: SimServer, chat: openai.OpenAI, claude: anthropic.Anthropic
) -> None:
    sim.configure(rate_529=1.0)

    with pytest.raises(openai.APIStatusError) as first:
        complete(chat)
    with pytest.raises(anthropic.APIStatusError) as second:
        message(claude)
    assert (first.value.status_code, second.value.status_code) == (503, 529)


def test_unknown_models_and_overlong_prompts_are_refused(
    sim: SimServer, chat: openai.OpenAI, claude: anthropic.Anthropic
) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        complete(chat, model="no-such-model")
    with pytest.raises(anthropic.NotFoundError):
        message(claude, model="no-such-model")
    sim.configure(max_prompt_tokens=10)
    with pytest.raises(openai.BadRequestError) as too_long:
        complete(chat, "x" * 44)
    assert (missing.value.code, too_long.value.code) == ("model_not_found", "context_length_exceeded")


def test_a_429_asks_to_wait_and_one_for_want_of_credit_does_not(sim: SimServer, chat: openai.OpenAI) -> None:
    sim.configure(storm_429=True, retry_after=2.5)
    with pytest.raises(openai.RateLimitError) as storm:
        complete(chat)
    sim.configure(storm_429=False, quota_exhausted=True)
    with pytest.raises(openai.RateLimitError) as broke:
        complete(chat)

    assert storm.value.response.headers["retry-after"] == "2.5"
    assert "retry-after" not in broke.value.response.headers


@pytest.mark.parametrize(
    ("options", "param", "code"),
    [
        ({"max_tokens": 9}, "max_tokens", "unsupported_parameter"),
        ({"temperature": 0}, "temperature", "unsupported_value"),
        ({"top_p": 0.9}, "top_p", "unsupported_parameter"),
        ({"frequency_penalty": 0}, "frequency_penalty", "unsupported_parameter"),
    ],
    ids=lambda value: str(value),
)
@pytest.mark.parametrize("model", ["gpt-5-mini", "o3-mini"])
def test_reasoning_models_refuse_the_old_parameters(
    chat: openai.OpenAI, model: str, options: dict[str, Any], param: str, code: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        complete(chat, model=model, **options)
    assert (caught.value.param, caught.value.code) == (param, code)


def test_reasoning_models_take_max_completion_tokens_and_temperature_1(chat: openai.OpenAI) -> None:
    assert complete(chat, model="gpt-5-mini", max_completion_tokens=99, temperature=1).choices


@pytest.mark.parametrize(
    ("model", "sampling", "refused"),
    [
        ("claude-opus-3", {"temperature": 1.0, "top_p": 0.9}, None),
        ("claude-opus-3", {"temperature": 1.1}, "temperature: range"),
        ("claude-opus-3", {"frequency_penalty": 0.0}, "frequency_penalty: Extra inputs"),
        ("claude-haiku-4-20250101", {"temperature": 1.0, "top_p": 0.9}, None),
        ("claude-haiku-4-6", {"temperature": 1.0}, None),
        ("claude-haiku-4-6", {"temperature": 1.0, "top_p": 0.9}, "cannot both be specified"),
        ("claude-haiku-4-8", {"temperature": 1.0}, "`temperature` is deprecated"),
        ("claude-haiku-5", {"top_p": 0.9}, "`top_p` is deprecated"),
        ("claude-haiku-5-5", {}, None),
    ],
    ids=str,
)
def test_claude_models_refuse_the_sampling_parameters_that_the_provider_gave_up(
    claude: anthropic.Anthropic, model: str, sampling: dict[str, float], refused: str | None
) -> None:
    if refused is None:
        assert message(claude, model=model, extra_body=sampling).content
    else:
        with pytest.raises(anthropic.BadRequestError, match=refused):
            message(claude, model=model, extra_body=sampling)


def test_openai_marks_a_refusal_beside_empty_content_and_a_filtered_answer_by_its_finish_reason(
    sim: SimServer, chat: openai.OpenAI
) -> None:
    sim.configure(rate_refusal=1.0)
    refused = complete(chat).choices[0]
    sim.configure(rate_refusal=0.0, rate_filter=1.0)
    filtered = complete(chat).choices[0]

    assert (refused.finish_reason, refused.message.content) == ("stop", None)
    assert "sorry" in refused.message.refusal
    assert filtered.finish_reason == "content_filter"


def test_anthropic_marks_a_refusal_by_its_stop_reason_and_gives_no_block_for_nothing(
    sim: SimServer, claude: anthropic.Anthropic
) -> None:
    sim.configure(rate_refusal=1.0)
    refused = message(claude)
    sim.configure(rate_refusal=0.0, rate_empty=1.0)
    empty = message(claude)

    assert (refused.stop_reason, refused.stop_details.type) == ("refusal", "refusal")
    assert (empty.stop_reason, empty.content) == ("end_turn", [])


def test_a_cut_off_answer_is_half_of_the_whole_one(
    sim: SimServer, chat: openai.OpenAI, claude: anthropic.Anthropic
) -> None:
    whole = complete(chat).choices[0].message.content
    sim.configure(rate_cutoff=1.0)
    cut = complete(chat).choices[0]

    assert (cut.finish_reason, cut.message.content) == ("length", whole[: len(whole) // 2])
    assert message(claude).stop_reason == "max_tokens"


def test_a_dropped_connection_and_broken_json_are_no_answers(sim: SimServer, chat: openai.OpenAI) -> None:
    sim.configure(rate_drop=1.0)
    with pytest.raises(openai.APIConnectionError):
        complete(chat)
    sim.configure(rate_drop=0.0, rate_malformed=1.0)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        complete(chat)

    assert sim.stats()["completed"] == 0
    assert sim.stats()["by_fault"] == {"drop": 1, "malformed": 1}


def test_a_hanging_call_stays_in_flight_until_the_client_goes(sim: SimServer, chat: openai.OpenAI) -> None:
    sim.configure(rate_hang=1.0)

    with pytest.raises(openai.APITimeoutError):
        complete(chat, timeout=0.2)
    assert sim.wait(clients_gone=1)["in_flight"] == 0


def test_a_fault_of_the_way_can_pass_at_the_next_try(sim: SimServer, chat: openai.OpenAI) -> None:
    sim.configure(rate_500=0.5)
    outcomes = []
    for _ in range(24):
        try:
            complete(chat)
            outcomes.append("answered")
        except openai.InternalServerError:
            outcomes.append("failed")

    assert {"answered", "failed"} == set(outcomes)
    assert sim.stats()["repeated"] == {"total": 1, "max": outcomes.count("answered")}


def test_shares_of_faults_are_kept_over_many_contents() -> None:
    model = SimulatedModel(Config(rate_refusal=0.2, rate_cutoff=0.3, rate_429=0.1))
    asks = [Ask("m", f"Question {number}", None, digest(number), 3, None) for number in range(4000)]
    finishes = Counter(model.answer(ask).finish for ask in asks)

    assert finishes["refusal"] / 4000 == pytest.approx(0.2, abs=0.03)
    assert finishes["length"] / 4000 == pytest.approx(0.3, abs=0.03)
    assert sum(model.fault(ask, 0) == "429" for ask in asks) / 4000 == pytest.approx(0.1, abs=0.02)


def test_latencies_are_lognormal_with_the_median_and_sigma_asked_for() -> None:
    model = SimulatedModel(Config(latency="lognormal:0.12:1.0"))
    asks = [Ask("m", "", None, digest(number), 3, None) for number in range(4000)]
    logs = [math.log(model.latency(ask)) for ask in asks]

    assert math.exp(statistics.median(logs)) == pytest.approx(0.12, rel=0.08)
    assert statistics.stdev(logs) == pytest.approx(1.0, rel=0.05)


def test_the_embedded_model_can_write_the_answers(sim: SimServer, chat: openai.OpenAI) -> None:
    sim.configure(style="offline")
    text = complete(chat, EVOLVE).choices[0].message.content

    assert "list" in text
    assert complete(chat, JUDGE).choices[0].message.content in {"Equal", "Not Equal"}


def test_held_answers_wait_for_their_release(sim: SimServer, chat: openai.OpenAI) -> None:
    sim.configure(hold=True)
    with ThreadPoolExecutor(3) as threads:
        answers = [threads.submit(complete, chat, f"Question {number}") for number in range(3)]
        figures = sim.wait(held=3)
        sim.configure(hold=False)
        finished = [answer.result().choices[0].finish_reason for answer in answers]

    assert (figures["completed"], figures["in_flight"]) == (0, 3)
    assert finished == ["stop"] * 3


def test_answers_are_held_after_exactly_as_many_as_asked(sim: SimServer, chat: openai.OpenAI) -> None:
    sim.configure(hold_after=2)
    with ThreadPoolExecutor(5) as threads:
        answers = [threads.submit(complete, chat, f"Question {number}") for number in range(5)]
        assert sim.wait(held=3)["completed"] == 2
        sim.configure(hold=False)
        assert all(answer.result() for answer in answers)


def test_calls_above_the_limit_at_a_time_are_refused(sim: SimServer, chat: openai.OpenAI) -> None:
    sim.configure(hold=True, max_in_flight=2)
    with ThreadPoolExecutor(2) as threads:
        answers = [threads.submit(complete, chat, f"Question {number}") for number in range(2)]
        sim.wait(held=2)
        with pytest.raises(openai.RateLimitError):
            complete(chat, "Question 3")
        sim.configure(hold=False)
        assert all(answer.result() for answer in answers)


def test_calls_above_the_limit_a_minute_are_refused(sim: SimServer, chat: openai.OpenAI) -> None:
    sim.configure(rpm=3)
    for number in range(3):
        complete(chat, f"Question {number}")

    with pytest.raises(openai.RateLimitError) as caught:
        complete(chat, "Question 4")
    assert caught.value.response.headers["x-ratelimit-limit-requests"] == "3"
    assert caught.value.response.headers["x-ratelimit-remaining-requests"] == "0"


def test_stats_count_requests_keys_and_repeated_contents(sim: SimServer, chat: openai.OpenAI) -> None:
    complete(chat)
    complete(chat)
    complete(chat.with_options(api_key="sk-second"), "What?")
    stats = sim.stats()

    assert (stats["requests"], stats["completed"], stats["distinct"], stats["keys_seen"]) == (3, 3, 2, 2)
    assert stats["repeated"] == {"total": 1, "max": 2}
    assert stats["by_path"] == {"/v1/chat/completions": 3}
    assert stats["by_status"] == {"200": 3}
    assert len(sim.log()) == 2


def test_the_latencies_of_the_same_questions_have_the_same_sum(sim: SimServer, chat: openai.OpenAI) -> None:
    sim.configure(latency="lognormal:0.002:1.0")
    sums = []
    for _ in range(2):
        sim.reset()
        for number in range(10):
            complete(chat, f"Question {number}")
        sums.append(sim.stats()["latency_sum_s"])

    assert sums[0] == sums[1]
    assert 0.005 < sums[0] < 0.2


def test_another_seed_draws_other_latencies() -> None:
    draws = [uniform(seed, 7, b"latency") for seed in (0, 1)]

    assert draws[0] != draws[1]


@pytest.mark.parametrize(
    "changes",
    [{"rate_500": 2}, {"no_such": 1}, {"hold": "yes"}, {"latency": "gamma:1"}, {"style": "loud"}],
    ids=str,
)
def test_a_setting_that_cannot_be_changes_nothing(sim: SimServer, changes: dict[str, object]) -> None:
    before = sim.configure()

    with pytest.raises(ValueError, match=r"\w+"):
        sim.configure(**changes)
    assert sim.configure() == before


def test_settings_are_taken_from_the_command_line() -> None:
    with SimServer(rate_429=0.25, storm_429=True, latency="constant:0.5", hold_after=-1) as server:
        settings = server.configure()

    assert settings == {
        **{name: getattr(Config(), name) for name in settings},
        "rate_429": 0.25,
        "storm_429": True,
        "latency": "constant:0.5",
    }


def test_calls_beyond_the_slots_are_answered_in_their_turn(sim: SimServer, chat: openai.OpenAI) -> None:
    sim.configure(slots=2, latency="constant:0.1")
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: complete(chat, f"Name {number} rivers."), range(8)))

    stats = sim.stats()
    assert len(answers) == stats["completed"] == 8
    assert stats["served_sum_s"] > 1.2 * 8 * 0.1  # whoever waits is served later than the latency says
