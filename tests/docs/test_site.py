"""What the site's pages promise, as far as it can be told without building it; make docs builds it strictly."""

from __future__ import annotations

import re
from collections import Counter

import click
import yaml  # type: ignore[import-untyped]

from evolver.cli.main import COMMANDS
from scripts.site_commands import evolve
from scripts.site_hooks import with_every_name
from tests.docs.blocks import DOCS


def test_a_public_name_that_the_python_reference_does_not_name_is_added_to_it() -> None:
    page = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")

    assert with_every_name(page.replace("::: evolver.Unusable", "")).endswith(
        "## More\n\n::: evolver.Unusable\n"
    )


def test_no_two_decisions_have_one_number() -> None:
    numbers = Counter(path.name[:4] for path in (DOCS / "decisions").glob("[0-9]*.md"))

    assert [number for number, times in numbers.items() if times > 1] == []


def test_every_page_is_in_the_navigation() -> None:
    nav = re.search(r"^nav:\n.*", (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8"), re.M | re.S)
    assert nav is not None
    named = set(_pages(yaml.safe_load(nav[0])["nav"]))
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}

    # The hook adds the decisions.
    assert {page for page in pages - named if not re.match(r"decisions/\d", page)} == set()


def _pages(nav: object) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    assert isinstance(nav, list | dict)
    return [page for item in (nav.values() if isinstance(nav, dict) else nav) for page in _pages(item)]


def test_nothing_is_fetched_from_elsewhere() -> None:
    text = (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8")

    assert re.search(r"^  font: false", text, re.M)
    assert not re.search(r"^(repo_url|extra_javascript)|https?://(?!github\.com/evolver)", text, re.M)


def test_the_examples_in_the_help_of_commands_are_blocks_on_the_site() -> None:
    assert isinstance(evolve, click.Group)
    assert list(evolve.commands) == list(COMMANDS)

    text = evolve.commands["stats"].help or ""
    assert "```text\nevolve stats\n" in text
    assert [name for name, command in evolve.commands.items() if "\b" in (command.help or "")] == []
