"""What a merge leaves behind when it is killed, what the next one makes of it, and who may look in between."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from evolver.errors import OutputError
from evolver.merge.folder import replacing_folder
from evolver.merge.output import replacing
from evolver.merge.parts import new_part, tidy

DIE = """
import os, sys
from pathlib import Path
from evolver.merge.folder import replacing_folder
from evolver.merge.output import replacing
where = Path(sys.argv[1])
with (replacing_folder if where.suffix == "" else replacing)(where):
    os._exit(9)
"""


def killed_while_writing(output: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DIE, output], check=False)
    assert done.returncode == 9


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".evolve-")]


@pytest.mark.parametrize("name", ["o.jsonl", "dataset"])
def test_the_next_merge_tidies_what_a_killed_one_has_left(tmp_path: Path, name: str) -> None:
    killed_while_writing(tmp_path / name)
    assert len(hidden(tmp_path)) == 1

    with replacing(tmp_path / "other.jsonl"):
        assert len(hidden(tmp_path)) == 1

    assert hidden(tmp_path) == []


def test_a_part_that_is_being_written_stays(tmp_path: Path) -> None:
    with new_part(tmp_path) as part:
        tidy(tmp_path)
        assert part.path.exists()


def test_what_only_looks_like_a_part_stays(tmp_path: Path) -> None:
    names = {".evolve-notes.part", "evolve-0123456789ab.part", ".evolve-0123456789ab.old"}
    for name in names:
        (tmp_path / name).touch()
    tidy(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == names


def test_a_folder_that_was_moved_aside_by_a_killed_merge_is_put_back(tmp_path: Path) -> None:
    (tmp_path / ".evolve-dataset.old").mkdir()
    (tmp_path / ".evolve-dataset.old" / "README.md").write_text("older")

    with pytest.raises(ZeroDivisionError), replacing_folder(tmp_path / "dataset"):
        raise ZeroDivisionError

    assert (tmp_path / "dataset" / "README.md").read_text() == "older"
    assert hidden(tmp_path) == []


def test_a_folder_that_was_replaced_by_a_killed_merge_keeps_what_is_new(tmp_path: Path) -> None:
    for name, text in ((".evolve-dataset.old", "older"), ("dataset", "newer")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "README.md").write_text(text)

    with pytest.raises(ZeroDivisionError), replacing_folder(tmp_path / "dataset"):
        raise ZeroDivisionError

    assert (tmp_path / "dataset" / "README.md").read_text() == "newer"
    assert hidden(tmp_path) == []


def test_nobody_else_can_read_a_part(tmp_path: Path) -> None:
    with replacing(tmp_path / "o.jsonl"), replacing_folder(tmp_path / "dataset"):
        modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in hidden(tmp_path)}
    assert modes == {0o600, 0o700}


def test_a_folder_that_replaces_another_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "dataset").mkdir(mode=0o750)
    with replacing_folder(tmp_path / "dataset"):
        pass
    (tmp_path / "any").mkdir()
    with replacing_folder(tmp_path / "new"):
        pass
    assert stat.S_IMODE((tmp_path / "dataset").stat().st_mode) == 0o750
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_link_that_a_stranger_made_in_a_shared_folder_is_not_followed(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make the links of others")
    (tmp_path / "victim").write_text("mine")
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "o.jsonl").symlink_to(tmp_path / "victim")
    os.chown(shared / "o.jsonl", 65534, 65534, follow_symlinks=False)

    with pytest.raises(OutputError, match="another user made"), replacing(shared / "o.jsonl"):
        pass

    assert (tmp_path / "victim").read_text() == "mine"
