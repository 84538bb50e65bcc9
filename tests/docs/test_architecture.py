"""The page on the architecture, held against the code."""

from __future__ import annotations

from pathlib import Path

import evolver

ROOT = Path(__file__).resolve().parents[2]


def test_the_architecture_page_names_every_module_and_folder_of_the_engine() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (engine,) = evolver.__path__
    rooms = [f"{path.parent.name}/" for path in Path(engine).glob("*/__init__.py")]
    rooms += [path.name for path in Path(engine).glob("*.py") if path.name != "__init__.py"]
    assert len(rooms) > 30
    assert [room for room in sorted(rooms) if f"`{room}`" not in page] == []
