"""What is said of a setting, once: the command line, the variables, the files and the reference page read it.

Nothing here needs more than the standard library, because ``evolve --help`` is made from it.
"""

from __future__ import annotations

import dataclasses
import types
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

Group = Literal["Pool", "Models", "Mutators and rules", "Budget and limits", "Batches", "Output", "Program"]
GROUPS: tuple[Group, ...] = get_args(Group)

Door = Literal["command line", "variable", "file", "python"]
"""Where a setting may be given: as an option, as ``EVOLVE_NAME``, as a key of a TOML file, as a keyword."""

EVERYWHERE: frozenset[Door] = frozenset(get_args(Door))
NOT_PYTHON: frozenset[Door] = EVERYWHERE - {"python"}

Risk = Literal["sends", "executes", "reads", "writes", "consents", "bounds"]
"""What a stranger's file could do with a setting, which therefore counts only from a file that its user trusts.

``sends``: to an address of its own. ``executes``: Python or a template, where a name is one of a file or a module.
``reads`` and ``writes``: a file outside the folder of the settings file, or a server. ``consents``: answers a question
about money or about an older file, or makes it look smaller. ``bounds``: does that where nobody can be asked.
"""

PURPOSES = ("judge", "answer")
"""The calls that may be asked otherwise than those that evolve."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Setting:
    """What stands beside a field of :class:`evolver.settings.Settings`, in its annotation.

    Args:
        help: One sentence for ``--help``, without the default.
        group: The heading it stands under.
        metavar: What stands for the value in ``--help``; choices show themselves.
        shown: What the help calls the default where the value does not say it; an empty text shows none.
        more: What the reference page says besides, in whole sentences.
        ge, gt, le, lt: Bounds of a number.
        bare: The value of an option that is given without one.
        split: What parts the items of a list in an option or a variable; ``None`` where an item may hold anything.
        keep_blank: Whether an empty item of a list is kept, so that it is told of instead of passed over.
        path: Whether Python may give a path object.
        doors: Where it may be given.
        argument: Whether ``Evolution`` takes it as an argument of its own, of a wider type than the setting.
        by_purpose: Whether judge and answer may have a value of their own (``judge_NAME``, ``[judge] NAME``).
        common: Whether those have options on the command line, too.
        kept: Whether a run keeps it in the store; addresses are kept without what may be secret.
        risk: What it could do in the file of a stranger; see :data:`Risk`. Decide it for every setting.
    """

    help: str
    group: Group
    metavar: str = ""
    shown: str | None = None
    more: str = ""
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    bare: str | None = None
    split: str | None = ","
    keep_blank: bool = False
    path: bool = False
    doors: frozenset[Door] = EVERYWHERE
    argument: bool = False
    by_purpose: bool = False
    common: bool = False
    kept: bool = True
    risk: Risk | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A setting as it stands in the class of settings: its name, type and default beside what is said of it.

    ``purpose`` is set where the value counts for those calls alone; ``base`` is then the name it is a case of.
    """

    name: str
    type: Any
    default: Any
    about: Setting
    purpose: str | None = None

    @property
    def base(self) -> str:
        """The name without its purpose."""
        return self.name if self.purpose is None else self.name.removeprefix(f"{self.purpose}_")

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is dataclasses.MISSING

    @property
    def switch(self) -> bool:
        """Whether it is on or off."""
        return self.type is bool

    @property
    def off_switch(self) -> bool:
        """Whether its option turns it off (``--no-NAME``)."""
        return self.switch and self.default is True

    @property
    def flag(self) -> str:
        """The option's name."""
        return f"--{'no-' if self.off_switch else ''}{self.name.replace('_', '-')}"

    @property
    def optional(self) -> bool:
        """Whether ``none`` is a value: the parameter is left out."""
        return type(None) in get_args(self.type)

    @property
    def plain_type(self) -> Any:
        """The type without ``None``."""
        if get_origin(self.type) not in (Union, types.UnionType):
            return self.type
        kinds = [kind for kind in get_args(self.type) if kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else Union[tuple(kinds)]  # noqa: UP007 - made while running

    @property
    def choices(self) -> tuple[str, ...]:
        """The values to choose from, or none."""
        kind = self.plain_type
        return get_args(kind) if get_origin(kind) is Literal else ()

    @property
    def many(self) -> bool:
        """Whether it is a list, whose option may be given again."""
        return get_origin(self.plain_type) is tuple

    @property
    def table(self) -> bool:
        """Whether it is a table: JSON in an option or a variable."""
        return get_origin(self.plain_type) is dict

    @property
    def shown_default(self) -> str:
        """The default in words, or an empty text where there is none to show."""
        if self.purpose is not None:
            return ""
        if self.about.shown is not None:
            return self.about.shown
        if self.required or self.switch or self.default in (None, ()):
            return ""
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)

    @property
    def help(self) -> str:
        """The sentence of ``--help`` with the default behind it."""
        if self.purpose is not None:
            return f"As --{self.base.replace('_', '-')}, for the {self.purpose} alone."
        return self.about.help + (f"  [default: {self.shown_default}]" if self.shown_default else "")

    @property
    def metavar(self) -> str:
        """What stands for the value in ``--help``."""
        return f"[{'|'.join(self.choices)}]" if self.choices else self.about.metavar

    def at(self, door: Door) -> bool:
        """Tell whether it may be given there."""
        if self.purpose is not None and door == "command line" and not self.about.common:
            return False
        return door in self.about.doors


def entries_of(owner: type) -> tuple[Entry, ...]:
    """Read the settings off a dataclass, those of a purpose behind the one they are a case of."""
    found: list[Entry] = []
    hints = get_type_hints(owner, include_extras=True)
    for field in dataclasses.fields(owner):
        kind, *notes = get_args(hints[field.name]) or (None,)
        about = next((note for note in notes if isinstance(note, Setting)), None)
        if about is None:
            continue
        found.append(Entry(field.name, kind, field.default, about))
        if about.by_purpose:
            found += [Entry(f"{one}_{field.name}", kind, None, about, one) for one in PURPOSES]
    return tuple(found)
