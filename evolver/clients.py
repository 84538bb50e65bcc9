"""The models of a session, each made once and closed once, by whoever made it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from evolver.calls.replicas import Replicas
from evolver.models.factory import made_here, make_model
from evolver.models.protocol import Model, Purpose
from evolver.quoting import public_url
from evolver.settings import Asking

_SHARE = 0.98


@dataclass(frozen=True, slots=True)
class Clients:
    """Who is asked for each purpose.

    ``ours`` are those that were made here from a name. An object of the user's is the user's to close: it may be asked
    again by the next run.
    """

    models: Mapping[Purpose, Model]
    ours: tuple[Model, ...] = ()

    async def aclose(self) -> None:
        """Close the connections of the models that were made here; twice does no harm."""
        for model in self.ours:
            close = getattr(model, "aclose", None)
            if close is not None:
                await close()


def addresses(base_url: Sequence[str] | None) -> tuple[str | None, ...]:
    """Return where a model is asked, each address once; ``None`` is its provider's own."""
    found: dict[str, str] = {}
    for url in base_url or ():
        found.setdefault(public_url(url), url)
    return (*found.values(),) or (None,)


def make_clients(
    specs: Mapping[Purpose, object],
    *,
    asking: Mapping[Purpose, Asking] | None = None,
    timeout: float = 600.0,
    concurrency: int = 64,
    on_notice: Callable[[str], None] | None = None,
) -> Clients:
    """Make the models, one for all purposes that ask the same at the same addresses with the same key.

    Args:
        specs: What the user asked for, by purpose: a name, or a model in hand.
        asking: Says where each is asked and with which key; at its provider with the provider's by default.
        timeout: Seconds that one call may take.
        concurrency: The most calls in flight at one of several servers.
        on_notice: Told what the user should read once.

    Raises:
        SettingsError: Nothing answers to a name, or its key or package is missing. Nothing was sent.
    """
    told: set[str] = set()

    def tell(text: str) -> None:
        if on_notice is not None and text not in told:
            told.add(text)
            on_notice(text)

    made: dict[object, Model] = {}
    models: dict[Purpose, Model] = {}
    ours: list[Model] = []
    for purpose, spec in specs.items():
        how = (asking or {}).get(purpose, Asking())
        key = (spec if isinstance(spec, str) else id(spec)), how.base_url, how.key_variable
        if key not in made:
            urls = addresses(how.base_url)
            # Of several servers it must be known which of them ran out of time, so the asker waits a little longer.
            wait = timeout if len(urls) == 1 else _SHARE * timeout
            each = [
                make_model(spec, base_url=url, key_variable=how.key_variable, timeout=wait, on_notice=tell)
                for url in urls
            ]
            made[key] = each[0] if len(each) == 1 else Replicas(each, limit=concurrency, on_notice=tell)
            if made_here(spec):
                ours.append(made[key])
        models[purpose] = made[key]
    return Clients(models, tuple(ours))
