"""What the documentation site fills in while it is built: the decisions, in the navigation and in their index."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import evolver

DECISIONS, PYTHON = "decisions/index.md", "reference/python.md"
LISTED, THE_REST = "<!-- decisions -->", "<!-- the rest -->"
WHOLE_MODULES = ("evolver.errors", "evolver_store.errors", "evolver.events")
"""Modules whose public names are on the page of the Python reference together."""
ELSEWHERE = {"__version__", "merge", "Event"}
"""Public names that are on it by another name, or with their module."""


def decisions(docs: Path) -> dict[str, str]:
    """Return the title of each decision by its file's name, in the order of their numbers."""
    files = sorted((docs / "decisions").glob("[0-9]*.md"))
    return {file.name: file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ") for file in files}


def on_config(config: Any) -> Any:
    """Put every decision into the navigation, behind the index."""
    found = decisions(Path(config["docs_dir"]))
    pages = [{f"{name[:4]} {title}": f"decisions/{name}"} for name, title in found.items()]
    config["nav"] = _extended(config["nav"], pages)
    return config


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """List every decision in their index, and every public name in the Python reference."""
    if page.file.src_uri == DECISIONS:
        found = decisions(Path(config["docs_dir"]))
        rows = [f"| {name[:4]} | [{title}]({name}) |" for name, title in found.items()]
        return markdown.replace(LISTED, "\n".join(["| | |", "|---|---|", *rows]))
    if page.file.src_uri == PYTHON:
        return with_every_name(markdown)
    return markdown


def with_every_name(markdown: str) -> str:
    """Add the public names that a page does not name to its end."""
    named = set(re.findall(r"^::: evolver\.(\w+)$", markdown, re.MULTILINE))
    rest = [
        name
        for name in evolver.__all__
        if name not in named | ELSEWHERE
        and getattr(getattr(evolver, name), "__module__", "") not in WHOLE_MODULES
    ]
    lines = ["## More", *(f"::: evolver.{name}" for name in rest)] if rest else []
    return markdown.replace(THE_REST, "\n\n".join(lines))


def on_page_content(html: str, page: Any, config: Any, files: Any) -> str:
    """Give every table a frame that scrolls, so that none is cut off on a narrow screen, with or without scripts."""
    return re.sub(r"<table(.*?)</table>", r'<div class="frame"><table\1</table></div>', html, flags=re.DOTALL)


def _extended(nav: list[Any], pages: list[dict[str, str]]) -> list[Any]:
    """Return the navigation with pages behind the index of the decisions, wherever that stands."""
    made: list[Any] = []
    for item in nav:
        if isinstance(item, dict):
            made.append(
                {
                    title: _extended(inner, pages) if isinstance(inner, list) else inner
                    for title, inner in item.items()
                }
            )
        else:
            made += [item, *(pages if item == DECISIONS else ())]
    return made
