from __future__ import annotations

import pytest

from evolver.calls.prices import FREE, Price, price_for
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Completion


def test_the_price_of_a_known_model_is_in_dollars_a_million_tokens() -> None:
    who = ModelIdentity("openai", "openai:gpt-3.5-turbo", "https://api.openai.com/v1")
    assert price_for(who) == Price(0.5, 1.5)


def test_tiered_prices_are_those_of_short_prompts() -> None:
    who = ModelIdentity("anthropic", "anthropic:claude-sonnet-4-5", "https://api.anthropic.com")
    assert price_for(who) == Price(3.0, 15.0)


def test_a_langchain_provider_is_found_under_the_name_the_price_list_has_for_it() -> None:
    assert price_for(ModelIdentity("google_genai", "google_genai:gemini-2.5-pro")) == Price(1.25, 10.0)


@pytest.mark.parametrize(
    "who",
    [
        ModelIdentity("openai", "openai:no-such-model", "https://api.openai.com/v1"),
        ModelIdentity("openai", "openai:gpt-3.5-turbo", "http://127.0.0.1:8000/v1"),
        ModelIdentity("nobody", "nobody:gpt-3.5-turbo"),
        ModelIdentity("MyModel", "MyModel"),
    ],
)
def test_a_price_nobody_knows_is_none_even_where_another_seller_has_the_name(who: ModelIdentity) -> None:
    assert price_for(who) is None


def test_prices_given_outrank_the_list_each_on_its_own() -> None:
    known = ModelIdentity("openai", "openai:gpt-3.5-turbo", "https://api.openai.com/v1")
    unknown = ModelIdentity("openai", "openai:mine", "http://localhost/v1")
    assert price_for(known, price_in=9.0) == Price(9.0, 1.5)
    assert price_for(known, price_out=0.0) == Price(0.5, 0.0)
    assert price_for(unknown, 0.1, 0.2) == Price(0.1, 0.2)
    assert price_for(unknown, price_in=0.1) is None


def test_local_models_are_free() -> None:
    assert price_for(ModelIdentity("offline", "offline/1", local=True), 5.0, 5.0) == FREE


def test_a_completion_costs_its_tokens_and_half_of_it_in_a_batch() -> None:
    completion = Completion("x", prompt_tokens=1_000, completion_tokens=2_000)
    price = Price(0.5, 1.5)
    assert price.of(completion) == pytest.approx(0.0035)
    assert price.of(completion, factor=0.5) == pytest.approx(0.00175)
    assert price.dollars(1_000_000, 0) == 0.5
