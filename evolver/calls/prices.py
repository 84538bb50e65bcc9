"""What a completion costs, in US dollars. The prices come with genai-prices; nothing is fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from evolver.errors import SettingsError
from evolver.hosts import is_own
from evolver.models.factory import listed
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Completion, Purpose
from evolver.models.registry import Provider, provider

_MILLION = 1_000_000
_TYPICAL = 1_000
"""Tokens at which tiered prices are read: prompts of a few thousand tokens never reach the dearer tier."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens of the prompt and of the completion."""

    input_per_mtok: float
    output_per_mtok: float

    def of(self, completion: Completion, *, factor: float = 1.0) -> float:
        """Dollars for one completion; ``factor`` is 0.5 in a batch."""
        return factor * self.dollars(completion.prompt_tokens, completion.completion_tokens)

    def dollars(self, prompt_tokens: float, completion_tokens: float) -> float:
        """Dollars for so many tokens, counted or estimated."""
        return (self.input_per_mtok * prompt_tokens + self.output_per_mtok * completion_tokens) / _MILLION


FREE = Price(0.0, 0.0)

WAYS_TO_PRICE = (
    "Give its dollars for a million tokens with --price-in and --price-out, name a model of the same price with "
    "--price-as openai:NAME"
)
"""What to do where no price is known."""


class PriceSettings(Protocol):
    """What a user says of prices; see the settings of the same names."""

    @property
    def price_in(self) -> float | None:
        """Dollars for a million tokens of prompts."""

    @property
    def price_out(self) -> float | None:
        """Dollars for a million tokens of completions."""

    @property
    def price_as(self) -> str | None:
        """The model whose price counts."""


def price_for(
    who: ModelIdentity,
    price_in: float | None = None,
    price_out: float | None = None,
    price_as: Price | None = None,
) -> Price | None:
    """Find a model's price; ``None`` where nobody knows it, so a budget cannot be kept.

    ``price_in`` and ``price_out`` (dollars for a million tokens) outrank ``price_as``, the price of another model, each
    on its own; and that outranks the list. Local models are free. What a provider's record says holds at any address;
    in the list, a model behind a base URL is looked up by that address and never by its name alone: the same name
    costs something else elsewhere. Of several addresses the dearest counts, and none where one is not known.
    """
    if who.local:
        return FREE
    known = price_as
    if known is None and (price_in is None or price_out is None):
        known = _dearest([_listed(replace(who, base_url=url, also=())) for url in who.addresses])
    if price_in is None and known is not None:
        price_in = known.input_per_mtok
    if price_out is None and known is not None:
        price_out = known.output_per_mtok
    return None if price_in is None or price_out is None else Price(price_in, price_out)


def is_sold(who: ModelIdentity) -> bool:
    """Tell whether somebody may send a bill for a model: it is asked at a host that is not the user's own.

    Gateways, proxies and a provider's further hosts count as the provider does.
    """
    if who.local:
        return False
    if who.base_url is not None:
        return not all(map(is_own, filter(None, who.addresses)))
    record = provider(who.provider)
    return record is None or not record.self_hosted


def prices_for(
    models: Mapping[Purpose, ModelIdentity],
    given: PriceSettings,
    max_cost: float | None,
) -> dict[Purpose, Price | None]:
    """Find the price of every model of a run, as :func:`price_for` does.

    Raises:
        SettingsError: There is a budget, ``max_cost``, and a model whose price is not known to count it by; or the
            price of the model named by ``price_as`` is not known.
    """
    like = None if given.price_as is None else _price_as(given.price_as)
    found = {who: price_for(who, given.price_in, given.price_out, like) for who in set(models.values())}
    unknown = sorted(who.name for who, price in found.items() if price is None)
    if unknown and max_cost is not None:
        raise SettingsError(
            f"no price is known for {' and '.join(unknown)}, so --max-cost cannot be kept; nothing was sent. "
            f"{WAYS_TO_PRICE}, or bound the calls with --max-calls N instead."
        )
    return {purpose: found[who] for purpose, who in models.items()}


def _price_as(spec: str) -> Price:
    price = price_for(listed(spec))
    if price is None:
        raise SettingsError(
            f"no price is known for {spec}, so nothing can be counted by it (--price-as); nothing was sent. "
            "Name a model of the price list, or give dollars for a million tokens with --price-in and --price-out."
        )
    return price


def _dearest(prices: list[Price | None]) -> Price | None:
    known = [price for price in prices if price is not None]
    if len(known) < len(prices):
        return None
    return Price(max(one.input_per_mtok for one in known), max(one.output_per_mtok for one in known))


def _listed(who: ModelIdentity) -> Price | None:
    record = provider(who.provider)
    model = who.name.partition(":")[2] or who.name
    if record is not None and record.prices:
        dollars = record.prices.get(model, record.prices.get("*"))
        if dollars is not None:
            return Price(*dollars)
    if who.base_url is not None and is_own(who.base_url):
        return None
    return _looked_up(model, who, record)


def _looked_up(model: str, who: ModelIdentity, record: Provider | None) -> Price | None:
    """Look into the price list: at the address, or under the provider's name there."""
    if who.base_url is None and (record is None or record.price_id is None):
        return None
    # Only paid runs need the price list, which takes up to a second to import.
    from genai_prices import Usage, calc_price

    usage = Usage(input_tokens=_TYPICAL, output_tokens=_TYPICAL)
    try:
        if who.base_url is not None:
            found = calc_price(usage, model, provider_api_url=who.base_url)
        else:
            assert record is not None
            found = calc_price(usage, model, provider_id=record.price_id)
    except LookupError:
        return None
    scale = _MILLION / _TYPICAL
    return Price(float(found.input_price) * scale, float(found.output_price) * scale)
