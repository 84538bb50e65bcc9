"""``evolve mutators``: what mutators there are, and the prompt each would send."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import click

from evolver.cli.options import completing
from evolver.cli.output import add_row, print_json, print_table, print_text, table, tell
from evolver.errors import UnknownNameError
from evolver.loading import did_you_mean
from evolver.plugins import DEFAULT_PRESET, Installed, LoadedMutator, installed, load_mutators

_EXAMPLE = "Write a function that sorts a list of words by their length."


@dataclass(frozen=True, slots=True)
class _Listing:
    """Mutators to list, and what is installed, to tell the presets they belong to."""

    mutators: tuple[LoadedMutator, ...]
    known: Installed

    def one(self, name: str) -> LoadedMutator:
        for mutator in self.mutators:
            if mutator.name == name:
                return mutator
        names = [mutator.name for mutator in self.mutators]
        raise UnknownNameError(
            f"there is no mutator {name!r} among those listed; nothing is shown.{did_you_mean(name, names)} "
            f"There are {', '.join(names)}; a file of your own is named by --mutators."
        )

    def presets(self, mutator: LoadedMutator) -> list[str]:
        known = self.known.mutators.get(mutator.name)
        return self.known.presets_of(mutator.name) if known and known.owner == mutator.owner else []


@click.command("mutators")
@click.option(
    "--mutators",
    "specs",
    metavar="LIST",
    shell_complete=completing("mutators"),
    help="List these: names, presets, file.py:Name, file.jinja.",
)
@click.option(
    "--preset", metavar="NAME", shell_complete=completing("presets"), help="List the mutators of this preset."
)
@click.option(
    "--prompt",
    "shown",
    metavar="NAME",
    shell_complete=completing("mutator"),
    help="Show the prompt this mutator would send; no call is made.",
)
@click.option(
    "--instruction", metavar="TEXT", default=_EXAMPLE, help="What --prompt is to evolve; has an example."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def command(
    specs: str | None, preset: str | None, shown: str | None, instruction: str, *, as_json: bool
) -> None:
    """List the mutators, or show the prompt that one of them would send.

    Without options: everything installed. Files of your own are listed with --mutators.

    \b
    Examples:
        evolve mutators
        evolve mutators --mutators wizardlm,breadth=2,mine.py:AddEdgeCases
        evolve mutators --prompt deepen --instruction "Explain hash maps."
    """
    if specs is not None and preset is not None:
        raise click.UsageError(
            "--mutators and --preset exclude each other; a preset's name may stand in --mutators."
        )
    known = installed()
    wanted = specs if specs is not None else preset
    if wanted is None:
        default = known.presets.get(DEFAULT_PRESET, ())
        chosen = (*default, *(one for one in known.mutators.values() if one not in default))
    else:
        chosen = load_mutators(wanted)
    listing = _Listing(chosen, known)
    if shown is not None:
        _show_prompt(listing.one(shown), instruction, as_json=as_json)
    elif as_json:
        print_json(_as_record(mutator, listing.presets(mutator)) for mutator in listing.mutators)
    else:
        _print_table(listing)


def _as_record(mutator: LoadedMutator, presets: list[str]) -> dict[str, object]:
    return {
        "name": mutator.name,
        "family": mutator.family,
        "presets": presets,
        "owner": mutator.owner,
        "weight": mutator.weight,
        "version": mutator.version,
        "needs_call": mutator.needs_call,
        "markers": mutator.markers,
        "description": mutator.description,
    }


def _show_prompt(mutator: LoadedMutator, instruction: str, *, as_json: bool) -> None:
    """Print one prompt, drawn with a generator seeded with 0; of a mutator without a call, its result."""
    rng = Random(0)
    record: dict[str, object] = {"mutator": mutator.name}
    if not mutator.needs_call:
        record["result"] = text = mutator.mutate(instruction, rng)
        tell(f"{mutator.name} makes no call; this is its result:")
    else:
        prompt = mutator.prompt(instruction, rng)
        record |= {"prompt": prompt.text, "system": prompt.system, "details": dict(prompt.details)}
        text = prompt.text
        if prompt.system and not as_json:
            tell(f"system text: {prompt.system}")
    if as_json:
        print_json([record])
    else:
        print_text(text)


def _print_table(listing: _Listing) -> None:
    columns = ("name", "family", "from", "weight", "version", "what it does")
    made = table(columns, right=("weight", "version"), whole=("name", "family"))
    for mutator in listing.mutators:
        origin = ", ".join(listing.presets(mutator)) or mutator.owner
        weight = f"{mutator.weight:g}"
        add_row(made, (mutator.name, mutator.family, origin, weight, mutator.version, mutator.description))
    print_table(made)
