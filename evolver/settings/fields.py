"""Every setting: its name, type, default and help stand here (how a model is asked, in ``asking.py``), nowhere else.

To add one, add a field with its :class:`Setting`; option, variable, TOML key and the check of its value follow from
it. Then run ``make settings``, which writes the keywords of Python and the reference page anew.

Annotations are no strings here: to read them again would cost the help page 3 ms.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any

from evolver.settings.asking import Asking
from evolver.settings.choices import (
    DEFAULT_FORMAT,
    AnswerSeeds,
    BatchFallback,
    Format,
    Reasoning,
    Recipe,
    Turns,
)
from evolver.settings.definition import NOT_PYTHON, Entry, Setting, entries_of
from evolver.text import without_passwords


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Asking):
    """What a run is to do. Field names are those of the options, with ``_`` for ``-``.

    Made by :func:`evolver.settings.load_settings` and :func:`evolver.settings.given_settings`, which check every
    value; ``by_purpose`` holds what judge and answer do otherwise, by purpose and name.
    """

    pool: Annotated[
        str,
        Setting(
            help="Instructions: a file of any format, a folder, hf:OWNER/NAME; - is stdin.",
            group="Pool",
            metavar="FILE",
            path=True,
            argument=True,
            risk="reads",
        ),
    ]
    column: Annotated[
        tuple[str, ...],
        Setting(
            help="The column of a field: instruction=Domanda; may be given again.",
            group="Pool",
            metavar="FIELD=COLUMN",
            more="Fields are instruction, input, response, context, system and turns.",
            split=None,
        ),
    ] = ()
    filter: Annotated[
        tuple[str, ...],
        Setting(
            help="Seeds by length: 'instruction<2000' (characters), 'response>=20w' (words).",
            group="Pool",
            metavar="LIST",
        ),
    ] = ()
    join: Annotated[
        tuple[str, ...],
        Setting(
            help="What of a row goes into its instruction besides: system, context.",
            group="Pool",
            metavar="LIST",
        ),
    ] = ()
    turns: Annotated[
        Turns,
        Setting(help="Of a conversation, the first user turn or all of them as seeds.", group="Pool"),
    ] = "first"
    limit: Annotated[int | None, Setting(help="Only the first N seeds.", group="Pool", metavar="N", ge=1)] = (
        None
    )
    strict: Annotated[bool, Setting(help="Make the first bad row of the pool an error.", group="Pool")] = (
        False
    )
    answer_seeds: Annotated[
        AnswerSeeds,
        Setting(
            help="Let the model answer seeds without a response, or all of them.",
            group="Pool",
            bare="missing",
        ),
    ] = "none"
    judge: Annotated[bool, Setting(help="Leave out the judge's call.", group="Models")] = True
    epochs: Annotated[
        int, Setting(help="Generations to evolve.", group="Mutators and rules", metavar="N", ge=0, le=63)
    ] = 4
    attempts: Annotated[
        int,
        Setting(
            help="Tries an epoch, each with another mutator.",
            group="Mutators and rules",
            metavar="K",
            ge=1,
            le=63,
        ),
    ] = 1
    preset: Annotated[
        str,
        Setting(help="Mutator set: wizardlm or wizardcoder.", group="Mutators and rules", metavar="NAME"),
    ] = "wizardlm"
    mutators: Annotated[
        tuple[str, ...],
        Setting(
            help="Names with weights (a,b=2), file.py:Name, module:Name, file.jinja.",
            group="Mutators and rules",
            metavar="LIST",
            # a list of nothing else must not pass for none, which means the preset
            keep_blank=True,
            argument=True,
            risk="executes",
        ),
    ] = ()
    rules: Annotated[
        tuple[str, ...],
        Setting(
            help="Elimination rules to add: file.py:Name, module:Name; or names.",
            group="Mutators and rules",
            metavar="LIST",
            argument=True,
            risk="executes",
        ),
    ] = ()
    skip_rules: Annotated[
        tuple[str, ...],
        Setting(help="Elimination rules to leave out.", group="Mutators and rules", metavar="LIST"),
    ] = ()
    refusal_phrases: Annotated[
        tuple[str, ...],
        Setting(
            help="More words for 'sorry', such as 申し訳,désolé.", group="Mutators and rules", metavar="LIST"
        ),
    ] = ()
    seed: Annotated[
        int,
        Setting(help="Seed of every draw.", group="Mutators and rules", metavar="N", ge=-(2**63), lt=2**63),
    ] = 0
    max_cost: Annotated[
        float | None,
        Setting(
            help="Stop, resumable, before the spend passes it.",
            group="Budget and limits",
            metavar="USD",
            gt=0,
            risk="bounds",
        ),
    ] = None
    max_calls: Annotated[
        int | None,
        Setting(
            help="Stop, resumable, after so many paid calls.",
            group="Budget and limits",
            metavar="N",
            more="The calls of earlier sessions of the run count; it is the brake where no price is known.",
            ge=1,
            risk="bounds",
        ),
    ] = None
    retry_failed: Annotated[
        bool,
        Setting(
            help="Make attempts again that failed before.",
            group="Budget and limits",
            more="An attempt fails when its model never answered; what died by a rule stays as it is.",
        ),
    ] = False
    price_in: Annotated[
        float | None,
        Setting(
            help="Price of a million prompt tokens.",
            group="Budget and limits",
            metavar="USD",
            ge=0,
            risk="consents",
        ),
    ] = None
    price_out: Annotated[
        float | None,
        Setting(
            help="Price of a million completion tokens.",
            group="Budget and limits",
            metavar="USD",
            ge=0,
            risk="consents",
        ),
    ] = None
    price_as: Annotated[
        str | None,
        Setting(
            help="Count by the price of another model, such as openai:gpt-4.1-mini.",
            group="Budget and limits",
            metavar="SPEC",
            more="For a gateway or proxy whose price nobody knows; --price-in and --price-out outrank it.",
            risk="consents",
        ),
    ] = None
    concurrency: Annotated[
        int,
        Setting(help="Most calls in flight.", group="Budget and limits", metavar="N", ge=1, le=10_000),
    ] = 64
    rpm: Annotated[
        int | None, Setting(help="Most requests a minute.", group="Budget and limits", metavar="N", ge=1)
    ] = None
    tpm: Annotated[
        int | None, Setting(help="Most tokens a minute.", group="Budget and limits", metavar="N", ge=1)
    ] = None
    timeout: Annotated[
        float,
        Setting(
            help="Seconds after which a call is tried again.", group="Budget and limits", metavar="S", gt=0
        ),
    ] = 300.0
    cache: Annotated[
        bool, Setting(help="Pay again for calls the store holds.", group="Budget and limits")
    ] = True
    yes: Annotated[
        bool,
        Setting(
            help="Do not ask before spending money.",
            group="Budget and limits",
            doors=NOT_PYTHON,
            risk="consents",
        ),
    ] = False
    batch: Annotated[
        bool,
        Setting(help="Ask in the provider's batches: half price, within a day.", group="Batches"),
    ] = False
    batch_fallback: Annotated[
        BatchFallback,
        Setting(help="Ask the last few requests live rather than in a batch.", group="Batches"),
    ] = "none"
    batch_min: Annotated[
        int,
        Setting(help="Fewer requests are not worth a batch.", group="Batches", metavar="N", ge=1),
    ] = 20
    batch_window: Annotated[
        int, Setting(help="Most attempts that share a wave.", group="Batches", metavar="N", ge=64)
    ] = 20_000
    batch_poll: Annotated[
        float | None,
        Setting(
            help="Seconds between looks at batches.", group="Batches", metavar="S", shown="5 to 60", gt=0
        ),
    ] = None
    store: Annotated[
        str,
        Setting(
            help="Where the lineage goes: a file or postgresql://….",
            group="Output",
            metavar="URL",
            path=True,
            kept=False,  # it may hold a password
            risk="writes",
        ),
    ] = "evolve.db"
    run: Annotated[
        str | None,
        Setting(
            help="Name of the run.", group="Output", metavar="NAME", shown="from what shapes the lineage"
        ),
    ] = None
    output: Annotated[
        str | None,
        Setting(
            help="Dataset: .jsonl, .json, .parquet, or a folder for the Hub.",
            group="Output",
            metavar="FILE",
            path=True,
            risk="writes",
            more="In Python no dataset is written unless this names one.",
        ),
    ] = "evolved.jsonl"
    force: Annotated[
        bool,
        Setting(
            help="Replace an output that another run wrote, or that was changed.",
            group="Output",
            more="An output that this run wrote, and that is as it was written, is replaced without it.",
        ),
    ] = False
    format: Annotated[Format, Setting(help="Shape of its rows.", group="Output")] = DEFAULT_FORMAT
    recipe: Annotated[
        Recipe | None,
        Setting(
            help="Write a configuration that trains on the dataset, beside it.",
            group="Output",
            risk="writes",
            more="NAME.trl.yaml and the like; for llama-factory a dataset_info.json as well.",
        ),
    ] = None
    reasoning: Annotated[
        Reasoning,
        Setting(
            help="What the model thought: in <think> before the answer, or in a field.",
            group="Output",
            more="See [Training on thoughts](thinking.md#training-on-thoughts).",
        ),
    ] = "none"
    quiet: Annotated[bool, Setting(help="Errors only.", group="Output", doors=NOT_PYTHON)] = False
    by_purpose: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Show every setting, without the passwords in addresses."""
        shown = (f"{one.name}={getattr(self, one.name)!r}" for one in dataclasses.fields(self))
        return f"Settings({', '.join(map(without_passwords, shown))})"

    @property
    def judge_model(self) -> str | None:
        """The judge's own model, ``None`` where it is the one that evolves."""
        return self._own("judge")

    @property
    def answer_model(self) -> str | None:
        """The model of the answers, ``None`` where it is the one that evolves."""
        return self._own("answer")

    def asking(self, purpose: str) -> Asking:
        """Return how a model is asked for a purpose: its own values, and those of the run for the rest.

        The judge is asked at temperature 0 without nucleus sampling unless it was told otherwise.
        """
        shared = {one.name: getattr(self, one.name) for one in dataclasses.fields(Asking)}
        if purpose == "judge":
            shared |= {"temperature": 0.0, "top_p": None}
        return Asking(**{**shared, **self.by_purpose.get(purpose, {})})

    def kept(self, address: Callable[[str], str]) -> dict[str, Any]:
        """Return the settings as a store keeps them: as JSON has them, without what may be secret.

        Args:
            address: Takes what may be secret out of the address of a server.
        """
        named = [one for one in entries() if one.about.kept]
        found = {one.name: getattr(self, one.name) for one in named if one.purpose is None}
        own = {
            f"{purpose}_{name}": value
            for purpose, said in self.by_purpose.items()
            for name, value in said.items()
        }
        for one in named:
            if one.purpose is not None and one.name in own:
                found[one.name] = own[one.name]
            if one.base == "base_url" and found.get(one.name):
                urls = [address(url) for url in found[one.name]]
                found[one.name] = urls[0] if len(urls) == 1 else urls
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}

    def _own(self, purpose: str) -> str | None:
        model: str | None = self.by_purpose.get(purpose, {}).get("model")
        return model


@cache
def entries() -> tuple[Entry, ...]:
    """Return every setting, in the order of its group and within it that of the fields."""
    return entries_of(Settings)


@cache
def entry(name: str) -> Entry:
    """Return one setting by its name."""
    return next(one for one in entries() if one.name == name)
