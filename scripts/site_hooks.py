"""What the documentation site fills in while it is built: the decisions, in the navigation and in their index."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

HERE = "decisions/index.md"
PLACE = "<!-- decisions -->"


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
    """List every decision in their index."""
    if page.file.src_uri != HERE:
        return markdown
    rows = [
        f"| {name[:4]} | [{title}]({name}) |" for name, title in decisions(Path(config["docs_dir"])).items()
    ]
    return markdown.replace(PLACE, "\n".join(["| | |", "|---|---|", *rows]))


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
            made += [item, *(pages if item == HERE else ())]
    return made
