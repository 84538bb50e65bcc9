"""Write what follows from the definition of the settings: the keywords of Python and the reference page.

``python scripts/write_settings.py`` writes both files anew; a test holds that they are as they would be written.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from evolver.settings.definition import GROUPS, PURPOSES, Entry
from evolver.settings.fields import entries

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = ROOT / "evolver" / "settings" / "options.py"
PAGE = ROOT / "docs" / "settings.md"

_OPTIONS_HEAD = '''"""The keywords that :class:`evolver.Evolution` takes. Written by scripts/write_settings.py."""

from __future__ import annotations

import os
{imports}


class Options(TypedDict, total=False):
    """Every keyword; see :class:`evolver.settings.Settings` for what each is."""

'''

_PAGE_HEAD = """# Settings

Every setting is an option (`--max-cost 20`), a variable (`EVOLVE_MAX_COST=20`), a key of a TOML file (`max_cost = 20`)
and, where the table says so, a keyword of `Evolution` in Python (`max_cost=20`). An option wins over a variable, a
variable over the file, the file over the default.

- A **list** is written with commas, or the option is given again: `--skip-rules refusal --skip-rules truncated`. In the
  file it is an array. An option that takes one value refuses a second.
- `none` leaves a parameter out where the table says so: `--temperature none`.
- A switch that is on has an option that turns it off: `--no-judge`, `EVOLVE_NO_JUDGE=1`, `no_judge = true`.
- A name that is no setting is an error, in the file as in the environment; an empty variable counts as unset.

## The file of the working directory

`evolve.toml` of the working directory is read by every command, and what is taken from it is named on stderr, also with
`--quiet`. The file may be a stranger's, so some of it counts only once you trust it: base URLs, mutators and rules of
files and modules, `yes`, prices, a bound on the cost where nobody can be asked, a store on a server, and a pool, a
store or an output outside the folder. Without trust these are an error that names the option to give instead.

```sh
evolve trust                  # the file of this folder, as it stands
evolve trust --list
evolve trust --remove
```

Trust is kept for the absolute path and the SHA-256 digest of the file in `~/.config/evolver/trusted.json`, so a change
to the file ends it; it says nothing of the code that the file names, which you should have read as well. `--config
FILE` names another file for a run, and that is trusted for being named. Python code reads no file and no variable.

## Options that are no settings

`-v` logs each try of a call on stderr, `--log FILE` adds it to a file that is yours alone (mode 0600): purpose, model,
row (`17/2`: the 17th seed in epoch 2), try, how it ended, seconds. `-vv` logs the texts as well. Keys are never logged.
In Python the same lines go to the logger `evolver.calls`. `--dry-run` prints what `evolve estimate` would. Options
may stand before the subcommand (`evolve --store a.db stats`), and
`evolve completion --install` lets the shell complete them.

## A table for each purpose

What tells how a model is asked may differ between evolving, judging and answering. A table of the file counts for those
calls; what stands above the tables counts for all, and so does what only `[evolve]` says.

```toml
temperature = 0.7

[evolve]
model = "openai:gpt-4.1-mini"

[judge]
model = "openai:gpt-4.1-nano"
temperature = 0
```

As variables and in Python these are `EVOLVE_JUDGE_TEMPERATURE` and `judge_temperature`. They are:
{by_purpose}.

"""


def options() -> str:
    """Return the module that holds the keywords of ``Evolution``."""
    lines = [
        f"    {one.name}: {_spelled(one)}" for one in entries() if one.at("python") and not one.about.argument
    ]
    words = set(re.findall(r"[A-Za-z]+", " ".join(lines)))
    wanted = {
        "collections.abc": {"Mapping", "Sequence"} & words,
        "typing": {"Any", "Literal"} & words | {"TypedDict"},
    }
    imports = [
        f"from {module} import {', '.join(sorted(names))}" for module, names in wanted.items() if names
    ]
    return _OPTIONS_HEAD.format(imports="\n".join(imports)) + "\n".join(lines) + "\n"


def page() -> str:
    """Return the reference page."""
    by_purpose = [one.base for one in entries() if one.purpose == PURPOSES[0]]
    parts = [_PAGE_HEAD.format(by_purpose=", ".join(f"`{name}`" for name in by_purpose))]
    for group in GROUPS:
        found = [one for one in entries() if one.about.group == group and one.purpose is None]
        if found:
            parts.append(f"## {group}\n\n" + "\n".join(_table(found)) + "\n\n")
            parts += [f"`{one.name}`: {one.about.more}\n\n" for one in found if one.about.more]
    return "".join(parts).rstrip("\n") + "\n"


def _table(found: list[Entry]) -> Iterator[str]:
    yield "| option | what it does | value | default | in Python |"
    yield "|---|---|---|---|---|"
    for one in found:
        flag = f"{one.flag} {one.about.metavar}".strip()
        also = [other.flag for other in entries() if _is_case(other, one)]
        options = ", ".join(f"`{name}`" for name in [flag, *also])
        python = f"`{one.name}`" if one.at("python") else "no"
        cells = (options, one.help.partition("  [default")[0], _values(one), _default(one), python)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _is_case(other: Entry, one: Entry) -> bool:
    return other.purpose is not None and other.base == one.name and other.at("command line")


def _values(one: Entry) -> str:
    about = one.about
    if one.choices:
        words = ", ".join(f"`{choice}`" for choice in one.choices)
    elif one.switch:
        words = "a switch"
    else:
        kinds = {int: "a whole number", float: "a number", str: "text"}
        words = "a list" if one.many else "a table" if one.table else kinds[one.plain_type]
    low = (
        f"at least {about.ge:g}"
        if about.ge is not None
        else f"above {about.gt:g}"
        if about.gt is not None
        else ""
    )
    high = f"at most {about.le:g}" if about.le is not None else ""
    bounds = [bound for bound in (low, high) if bound and "e+" not in bound]
    return ", ".join([words, *bounds, *(["or `none`"] if one.optional else [])])


def _default(one: Entry) -> str:
    if one.switch:
        return "on" if one.default else "off"
    return one.shown_default or ("none" if not one.required else "must be given")


def _spelled(one: Entry) -> str:
    """Return the type as source has it; of a file also a path object, of a tuple any sequence."""
    spelled = _source(one.type)
    wider = " | os.PathLike[str]" if one.about.path else ""
    return spelled.replace("str", f"str{wider}", 1) if wider else spelled


def _source(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return " | ".join(_source(one) for one in inner)
    if origin is Literal:
        return "Literal[" + ", ".join(json.dumps(one) for one in inner) + "]"
    if origin is tuple:
        return f"Sequence[{_source(inner[0])}]"
    if origin is dict:
        return f"Mapping[{_source(inner[0])}, {_source(inner[1])}]"
    return {type(None): "None", Any: "Any"}.get(kind) or str(kind.__name__)


def main() -> None:
    OPTIONS.write_text(options(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
