"""The page on lineage and SQL tells what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from evolver_store.named_queries import NAMED_QUERIES

PAGE = (Path(__file__).parents[2] / "docs" / "lineage-sql.md").read_text(encoding="utf-8")


def test_the_page_shows_every_named_query_as_it_is() -> None:
    shown = dict(re.findall(r"^### (\S+)\n.*?```sql\n(.*?)\n```", PAGE, re.DOTALL | re.MULTILINE))

    assert shown == {query.name: query.sql for query in NAMED_QUERIES}


def test_the_page_gives_every_query_its_question() -> None:
    assert [query.question for query in NAMED_QUERIES if query.question not in PAGE] == []
