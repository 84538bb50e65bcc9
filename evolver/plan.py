"""What a run will do, settled before anything is written or paid: made once, and taken by all that comes after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from evolver.begun import as_begun
from evolver.calls.call_settings import CallSettings, call_settings
from evolver.calls.prices import FREE, Price, is_sold, prices_for
from evolver.clients import Clients, addresses
from evolver.elimination.rules import RuleSet, load_rules
from evolver.errors import SettingsError
from evolver.models.batch.protocol import Batchable
from evolver.models.factory import identify
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Purpose
from evolver.models.registry import usages_with_batches
from evolver.plugins import MutatorSet, load_mutators
from evolver.pool import Pool
from evolver.settings import Settings
from evolver.shape import Shape, default_name, shape_of


@dataclass(frozen=True, slots=True)
class Plan:
    """A run as its user has asked for it; the estimate, the question about money, the run and the card rest on it.

    ``specs`` is what is asked for each purpose, a name or a model in hand; ``identities`` says who answers to it,
    which needs neither key nor package. ``shape`` is what decides the run's rows, and ``name`` follows from it where
    the user gave none.
    """

    settings: Settings
    pool: Pool
    name: str
    shape: Shape
    mutators: MutatorSet
    rules: RuleSet
    specs: Mapping[Purpose, object]
    identities: Mapping[Purpose, ModelIdentity]
    prices: Mapping[Purpose, Price | None]

    @property
    def judge(self) -> bool:
        """Whether the judge is asked."""
        return self.settings.judge and self.rules.judge

    def call_settings(self, purpose: Purpose) -> CallSettings:
        """Return how the calls of a purpose are made."""
        return call_settings(self.settings.asking(purpose))

    @property
    def asked(self) -> dict[Purpose, ModelIdentity]:
        """Who is really asked: without the judge where there is none."""
        return {one: who for one, who in self.identities.items() if one != "judge" or self.judge}

    @property
    def local(self) -> bool:
        """Whether every model answers in this process, for nothing."""
        return all(who.local for who in self.identities.values())

    @property
    def costs(self) -> bool:
        """Whether somebody is going to send a bill.

        A server or a model in hand of the user's own whose price nobody knows is taken to cost nothing; a provider's
        model that the price list does not have is taken to cost something.
        """
        return any(map(self._costs, self.asked))

    def _costs(self, purpose: Purpose) -> bool:
        price = self.prices[purpose]
        if price is not None:
            return price != FREE
        return not hasattr(self.specs[purpose], "complete") and is_sold(self.identities[purpose])

    @property
    def unpriced(self) -> list[str]:
        """Models that are asked and whose price nobody knows."""
        return sorted({who.name for one, who in self.asked.items() if self.prices[one] is None})


def make_plan(
    settings: Settings,
    pool: Pool,
    specs: Mapping[Purpose, object],
    *,
    mutators: Sequence[object] = (),
    rules: Sequence[object] = (),
) -> Plan:
    """Settle what a run will do.

    Args:
        settings: Of the run.
        pool: What is to be evolved.
        specs: The model of each purpose: a name, or a model in hand.
        mutators: Names, files, or mutators in hand; none means the preset.
        rules: Elimination rules besides the built-in ones, likewise.

    Raises:
        PoolError: The pool cannot be read.
        PluginError: A mutator or rule cannot be loaded.
        SettingsError: Something that was asked for cannot be; nothing was sent.
    """
    loaded = MutatorSet(load_mutators(mutators, preset=settings.preset))
    chosen = load_rules(rules, skip=settings.skip_rules, refusal_phrases=settings.refusal_phrases)  # type: ignore[arg-type]
    identities: Mapping[Purpose, ModelIdentity] = {
        purpose: _among(identify(spec, base_url=url) for url in addresses(settings.asking(purpose).base_url))
        for purpose, spec in specs.items()
    }

    def shape_with(who: Mapping[Purpose, ModelIdentity]) -> Shape:
        told = {str(purpose): [one.name, one.base_url, one.settings] for purpose, one in who.items()}
        return shape_of(settings, pool.sha256, loaded, chosen, told)

    identities = as_begun(settings, identities, shape_with)
    prices = prices_for(identities, settings, settings.max_cost)
    shape = shape_with(identities)
    name = settings.run or default_name(settings.pool, shape)
    return Plan(settings, pool, name, shape, loaded, chosen, dict(specs), identities, prices)


def _among(each: Iterable[ModelIdentity]) -> ModelIdentity:
    """Return who a model is that is asked at several addresses: the first of them is his."""
    first, *others = each
    return replace(first, also=tuple(str(one.base_url) for one in others))


def check_batchable(plan: Plan, clients: Clients) -> None:
    """Make sure that what is to be asked in batches can be.

    Raises:
        SettingsError: A model has no batch API or several addresses, or there is no call cache to keep answers in.
    """
    if not plan.settings.batch:
        return
    if not plan.settings.cache:
        raise SettingsError(
            "--batch needs the call cache, in which answers wait for the lineages that asked; nothing was sent. "
            "Leave out --no-cache, or name a new --store to pay for new answers."
        )
    several = next((who for who in plan.identities.values() if who.also), None)
    if several is not None:
        raise SettingsError(
            f"{several.name} is asked at {len(several.addresses)} addresses, and a batch goes to one; nothing was "
            "sent. Leave out --batch, or give one --base-url."
        )
    remote = [purpose for purpose, who in plan.identities.items() if not who.local] or [*plan.identities]
    without = [purpose for purpose in remote if not isinstance(clients.models[purpose], Batchable)]
    if without:
        raise SettingsError(
            f"{plan.identities[without[0]].name} has no batch API; nothing was sent. Leave out --batch, or name models "
            f"that have one: {', '.join(usages_with_batches())}."
        )
