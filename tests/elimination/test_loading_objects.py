from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from evolver.digest import digest_of
from evolver.errors import PluginError
from evolver.loading import load_object

SCRIPT = """
LIMIT = {limit}
def helper(text):
    return len(text) {sign} LIMIT
def check(text):
    return helper(text)
class Box:
    __slots__ = ("size",)
    def __init__(self, size):
        self.size = size
    def __call__(self, text):
        return helper(text)
boxes = [Box(1), Box(2)]
"""


def write(path: Path, limit: int = 3, sign: str = "<") -> Path:
    path.write_text(SCRIPT.format(limit=limit, sign=sign))
    return path


def test_an_object_is_found_in_a_file_and_in_a_module(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.py")

    check = load_object(f"{file}:check")
    assert callable(check)
    assert check("ab") is True
    assert load_object("pathlib:Path.cwd") == Path.cwd


def test_a_file_is_run_once_until_its_bytes_change(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.py")
    first = load_object(f"{file}:check")
    assert load_object(f"{file}:check") is first
    write(file, limit=1)

    second = load_object(f"{file}:check")
    assert callable(second)
    assert second("ab") is False


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("mine", "file.py:Name"),
        ("mine.py:", "file.py:Name"),
        (":check", "file.py:Name"),
        ("mine.py:chekc", "Did you mean 'check'"),
        ("gone.py:check", "cannot be read"),
        ("folder.py:check", "cannot be read"),
        ("broken.py:check", "raised SyntaxError"),
        ("raises.py:check", "raised RuntimeError: no"),
        ("no_such_module_here:check", "cannot be imported"),
        ("pathlib:Paht", "Did you mean 'Path'"),
    ],
)
def test_what_cannot_be_loaded_is_said_in_words(
    spec: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "mine.py")
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "broken.py").write_text("def check(:\n")
    (tmp_path / "raises.py").write_text("raise RuntimeError('no')\n")

    with pytest.raises(PluginError, match=said) as refused:
        load_object(spec)
    assert "nothing was run" in str(refused.value)


def test_a_digest_follows_constants_helpers_and_attributes(tmp_path: Path) -> None:
    files = [write(tmp_path / "a.py"), write(tmp_path / "b.py", limit=4), write(tmp_path / "c.py", sign=">")]
    checks = {digest_of(load_object(f"{file}:check")) for file in files}
    boxes = {digest_of(load_object(f"{file}:boxes")) for file in files}

    assert len(checks) == 3
    assert len(boxes) == 3
    assert digest_of(load_object(f"{write(tmp_path / 'd.py')}:check")) in checks


def test_a_digest_follows_what_is_closed_over_and_bound() -> None:
    def make(limit: int) -> Callable[[str], bool]:
        return lambda text: len(text) < limit

    assert digest_of(make(1)) == digest_of(make(1))
    assert digest_of(make(1)) != digest_of(make(2))
    assert digest_of(partial(make, 1)) != digest_of(partial(make, 2))
    assert digest_of({"a", "b", "c"}) == digest_of({"c", "b", "a"})


def test_a_digest_is_equal_in_every_process(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.py")
    program = (
        "import sys\nfrom evolver.digest import digest_of\nfrom evolver.loading import load_object\n"
        "print(digest_of(load_object(sys.argv[1] + ':check')), digest_of(load_object(sys.argv[1] + ':boxes')),"
        ' digest_of(eval(\'lambda x: x in {"a", "b", "c", "d"}\')))'
    )

    said = {
        subprocess.run(
            [sys.executable, "-c", program, str(file)],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_a_function_whose_file_no_longer_holds_it_has_a_digest(tmp_path: Path) -> None:
    digests = set()
    for name, text in (("a", "It's prose.\n"), ("b", "'''unended\n"), ("c", "(\n"), ("d", "")):
        moved = tmp_path / f"{name}.txt"
        moved.write_text(text, encoding="utf-8")
        names: dict[str, object] = {}
        exec(compile("def check(text): return bool(text)", str(moved), "exec"), names)
        digests.add(digest_of(names["check"]))

    assert all(len(digest) == 16 for digest in digests)


def test_functions_that_call_each_other_have_a_digest(tmp_path: Path) -> None:
    file = tmp_path / "round.py"
    file.write_text("def ping(n):\n    return pong(n)\ndef pong(n):\n    return ping(n)\n")

    assert len(digest_of(load_object(f"{file}:ping"))) == 16
