"""Who a model is, for the call cache, the lineage and the price."""

from __future__ import annotations

from dataclasses import dataclass

from evolver.models.protocol import Model
from evolver.traits import settings_of

_TOLD = frozenset({"name", "provider", "base_url", "local", "settings"})


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """What tells two models apart.

    ``name`` is what the lineage records, written as the model is asked for on the command line:
    ``openai:gpt-4.1-mini``. ``base_url`` is the address in effect, without user, password and
    query; ``None`` where the model has none. ``local`` models cost nothing. ``settings`` is the digest of what a
    model object brings of its own that shapes its completions, or what it says of that itself. ``also`` are further
    addresses at which its user says that the same model is asked; they tell nothing apart.
    """

    provider: str
    name: str
    base_url: str | None = None
    local: bool = False
    settings: str = ""
    also: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str | None, ...]:
        """Every address at which it is asked; ``None`` stands for its provider's own."""
        return (self.base_url, *self.also)


def identity(model: Model) -> ModelIdentity:
    """Read a model's identity off its optional attributes; the class name stands in for a missing name.

    Where it has no ``settings``, its public attributes stand for them (see :func:`evolver.traits.settings_of`).
    """
    kind = type(model).__name__
    settings = getattr(model, "settings", None)
    url = getattr(model, "base_url", None)
    return ModelIdentity(
        provider=str(getattr(model, "provider", kind)),
        name=str(getattr(model, "name", None) or kind),
        base_url=None if url is None else str(url),
        local=bool(getattr(model, "local", False)),
        settings=settings_of(model, leaving=_TOLD) if settings is None else str(settings),
    )
