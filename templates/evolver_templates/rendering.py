"""Fill in templates: our own, which are trusted and cached, and a user's, which run in a sandbox.

Nothing is escaped, since a prompt is not HTML, and a value is never read as a template: ``<``, ``{{ }}`` and
``{% %}`` inside an instruction come through as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, TemplateError, meta, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

_ours = Environment(
    loader=PackageLoader("evolver_templates", ""),
    autoescape=False,  # noqa: S701 - prompts are plain text; escaping would turn "<" in code into "&lt;"
    undefined=StrictUndefined,
    trim_blocks=True,
    auto_reload=False,
)
_LABEL = re.compile(r"#[A-Z][A-Za-z ]{1,40}#")


@cache
def _template(name: str) -> Template:
    return _ours.get_template(name)


def render(name: str, /, **values: str) -> str:
    """Fill in one of our templates, such as ``depth/deepen.jinja``; the result ends without a line end.

    Raises:
        jinja2.TemplateNotFound: There is no such template.
        jinja2.UndefinedError: The template needs a value that is not given.
    """
    return _template(name).render(values)


@cache
def prompt_labels() -> tuple[str, ...]:
    """Every label of every prompt of ours, such as ``#Method#``, sorted; read off the templates themselves."""
    found = set[str]()
    for name in _ours.list_templates(extensions=["jinja"]):
        found.update(_LABEL.findall(_source(name)))
    return tuple(sorted(found))


def _source(name: str) -> str:
    assert _ours.loader is not None  # it was made with one
    return _ours.loader.get_source(_ours, name)[0]


@pass_context
def _drawn(context: Context, choices: Sequence[Any]) -> Any:
    """The ``random`` filter, which draws from the attempt's own generator so that a run can be repeated."""
    return context["rng"].choice(choices)


def _sandbox() -> Environment:
    environment = SandboxedEnvironment(autoescape=False, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["random"] = _drawn
    del environment.globals["lipsum"]  # random text that no seed repeats
    return environment


class UserTemplate:
    """A user's template, compiled for the sandbox; it reads ``instruction`` and may draw with ``| random``.

    Args:
        source: The template's text.
        first_line: The number that its first line has in the user's file, for messages.

    Raises:
        ValueError: The text is no template, does not use ``instruction``, or uses a name nobody gives it.
            The message says which, and in which line where that is known.
    """

    __slots__ = ("_template",)

    def __init__(self, source: str, *, first_line: int = 1) -> None:
        environment = _sandbox()
        try:
            names = meta.find_undeclared_variables(environment.parse(source))
            self._template = environment.from_string(source)
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            where = f"line {line + first_line - 1}: " if line else ""
            raise ValueError(f"{where}{error.message}") from error
        unknown = sorted(names - {"instruction", "rng"} - set(environment.globals))
        if unknown:
            raise ValueError(f"the template uses {unknown[0]!r}, but is given `instruction` alone")
        if "instruction" not in names:
            raise ValueError("the template never uses {{ instruction }}")

    def render(self, instruction: str, rng: Random) -> str:
        """Fill in the template.

        Raises:
            jinja2.TemplateError: What the template does with the instruction cannot be done.
        """
        return self._template.render(instruction=instruction, rng=rng)
