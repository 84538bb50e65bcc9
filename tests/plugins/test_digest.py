"""The digest of users' code: what it sees, what it leaves out, and that every Python gives the same."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import evolver
from evolver.digest import digest_of
from evolver.loading import load_object

NUMBERS = itertools.count()

WHOLE = '''
"""What a module of somebody's may hold."""
from __future__ import annotations
import json, math, re, string
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache, partial
from random import Random

STYLES = {"short": ["tersely", "in brief"], "long": ("at length", 3.5, -1, None, True)}
WORDS = {"a", "b", "c", "d"}
PATTERN = re.compile(rf"\\b(?:{'|'.join(sorted(WORDS))})\\b", re.IGNORECASE)
CACHE = {}
TABLE = {}
for number in range(3):
    TABLE[number] = number ** 2
pick = lambda words, rng: [w for w in words if w][0]; other = lambda words, rng: words

class Colour(Enum):
    RED = 1

@dataclass(frozen=True)
class Tone:
    """How it is said."""
    words: tuple[str, ...] = ("kindly",)
    colours: list[Colour] = field(default_factory=lambda: [Colour.RED])

    @property
    def first(self) -> str:
        return self.words[0]

def closing(text: str, *, mark: str = "!") -> str:
    """Close it.

        With an indented line.
    """
    return f"{text}" "{}" f"{mark!r:>{len(text) + 4}}{text=}" f'{STYLES["short"][0]:}' + string.punctuation

@lru_cache
def told(n):
    match n:
        case {"a": [x, *_]} if (y := x):
            return y
        case -1 | None:
            return not n
    try:
        with open("x") as f, open("y"):
            return max((len(style) for style in STYLES if style in WORDS), default=-1)
    except* ValueError:
        pass

class Mine:
    name = "mine"
    def __init__(self, tone=Tone()):
        self.tone = tone
        self.rng = Random(3)
    def prompt(self, instruction, rng):
        CACHE[instruction] = told(TABLE[0])
        styles = sorted(style for style in STYLES)
        return closing(pick(styles, rng) + PATTERN.sub("", instruction), mark=self.tone.first)

mine = Mine()
half = partial(closing, mark="?")
'''
"""With comprehensions, f-strings, matches and dataclasses, whose code and trees differ between versions."""

SHOWN = """
from evolver.digest import digest_of
import whole
print([digest_of(getattr(whole, name)) for name in ("mine", "Mine", "half", "other", "told", "Tone")])
"""


def digest(folder: Path, text: str, name: str = "prompt") -> str:
    """The digest of one object of a module of its own with that text."""
    file = folder / f"mine{next(NUMBERS)}.py"
    file.write_text(text)
    return digest_of(load_object(f"{file}:{name}"))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("D = {'a': ['x']}\ndef prompt(t): return D['a'][0]", ("'x'", "'y'")),
        ("D = {}\nD['a'] = 'x'\ndef prompt(t): return D['a']", ("'x'", "'y'")),
        ("D = []\nD.append('x')\ndef prompt(t): return D[0]", ("'x'", "'y'")),
        ("L = ['x']\ndef prompt(t): return ' '.join(w for w in L)", ("'x'", "'y'")),
        ("def f(w): return w + 'x'\ndef prompt(t): return ' '.join(f(w) for w in t)", ("'x'", "'y'")),
        ("def f(w): return w + 'x'\ndef prompt(t): return [f(w) for w in t]", ("'x'", "'y'")),
        ("N = 3\ndef prompt(t): return sorted(t, key=lambda w: len(w) % N)", ("N = 3", "N = 4")),
        ("pick = lambda t: t + 'x'\ndef prompt(t): return pick(t)", ("'x'", "'y'")),
        ("prompt, other = lambda t: t + 'x', lambda t: t + 'z'", ("'x'", "'y'")),
        ("def g(w): return w + 'x'\ndef f(w): return g(w)\ndef prompt(t): return f(t)", ("'x'", "'y'")),
        ("class C:\n  def do(self, t): return t + 'x'\ndef prompt(t): return C().do(t)", ("'x'", "'y'")),
        ("class A:\n  word = 'x'\nclass C(A): pass\ndef prompt(t): return C.word", ("'x'", "'y'")),
        ("import re\nP = re.compile('x')\ndef prompt(t): return P.sub('', t)", ("'x'", "'y'")),
        ("def prompt(t, end='x'): return t + end", ("'x'", "'y'")),
        ("def made(n):\n  def f(t): return t * n\n  return f\nprompt = made(2)", ("made(2)", "made(3)")),
        ("def made(n):\n  return lambda t: t * n\ng = made(2)\ndef prompt(t): return g(t)", ("made(2)", "made(3)")),
        ("import functools as o\n@o.cache\ndef f(t): return 'x'\ndef prompt(t): return f(t)", ("'x'", "'y'")),
        ("class C:\n  def __init__(self, n): self.n = n\nprompt = C('x')", ("'x'", "'y'")),
        ("if True:\n  W = 'x'\nelse:\n  W = ''\ndef prompt(t): return t + W", ("'x'", "'y'")),
        ("def prompt(t):\n  return t + 1", ("+", "-")),
        ("def prompt(t):\n  return f'{t!r:>8} x'", (">8", ">9")),
    ],
)  # fmt: skip
def test_a_digest_sees_whatever_the_code_does_its_work_by(
    text: str, other: tuple[str, str], tmp_path: Path
) -> None:
    assert digest(tmp_path, text) == digest(tmp_path, text)
    assert digest(tmp_path, text) != digest(tmp_path, text.replace(*other))


def test_what_a_value_was_read_from_is_seen_by_the_value(tmp_path: Path) -> None:
    text = f"with open({str(tmp_path / 'words')!r}) as f: W = f.read()\ndef prompt(t): return W"
    seen = set()
    for words in ("one", "two"):
        (tmp_path / "words").write_text(words)
        seen.add(digest(tmp_path, text))

    assert len(seen) == 2


def test_comments_layout_and_what_is_not_used_change_no_digest(tmp_path: Path) -> None:
    text = "D = {'a': 1}\ndef prompt(t):\n  return [D[w] for w in t]\n"
    laid_out = (
        "# mine\nUNUSED = 3\n\nD = {\n  'a': 1,  # one\n}\ndef prompt(t):\n    return [\n  D[w] for w in t]\n"
    )

    assert digest(tmp_path, text) == digest(tmp_path, laid_out)


def test_a_cache_that_fills_while_it_is_used_changes_no_digest(tmp_path: Path) -> None:
    file = tmp_path / "cached.py"
    file.write_text("C = {}\ndef prompt(t):\n  C[t] = t\n  return t\n")
    prompt = load_object(f"{file}:prompt")
    before = digest_of(prompt)
    assert callable(prompt)
    prompt("x")

    assert digest_of(prompt) == before


def test_a_digest_is_of_what_was_loaded_though_the_file_was_changed_since(tmp_path: Path) -> None:
    file = tmp_path / "edited.py"
    file.write_text("def prompt(t):\n  return t + 'x'\n")
    prompt = load_object(f"{file}:prompt")
    before = digest_of(prompt)
    file.write_text("def prompt(t):\n  return t + 'y, and more'\n")

    assert digest_of(prompt) == before


def test_functions_made_in_one_place_differ_by_what_they_close_over(tmp_path: Path) -> None:
    text = "def made(n):\n  return lambda t: t * n\nprompt = [made(1), made(2)]\n"

    assert digest(tmp_path, text) != digest(tmp_path, text.replace("made(2)]", "made(1)]"))


def test_a_class_that_refers_to_itself_has_a_digest(tmp_path: Path) -> None:
    text = "class Node:\n  def __init__(self): self.me = self\n  def next(self): return Node()\nprompt = Node()\n"

    assert len(digest(tmp_path, text)) == 16


def test_code_without_a_source_is_told_apart_by_its_byte_code() -> None:
    def typed(text: str) -> str:
        names: dict[str, object] = {}
        exec(f"def prompt(t): return {text}", names)
        return digest_of(names["prompt"])

    assert typed("t + 1") == typed("t + 1")
    assert len({typed("t + 1"), typed("t - 1"), typed("t + 2"), typed("[w for w in u]")}) == 4


def pythons() -> set[str]:
    """This Python, and every other one from 3.11 on that the machine has."""
    versions = (Path.home() / ".pyenv" / "versions").glob("3.1[1-4].*/bin/python")
    found = {shutil.which(f"python3.{minor}") for minor in range(11, 15)} | {str(path) for path in versions}
    works = {
        path
        for path in found
        if path and subprocess.run([path, "-c", ""], capture_output=True).returncode == 0
    }
    return {sys.executable, *works}


def test_every_python_gives_the_same_digest(tmp_path: Path) -> None:
    (tmp_path / "whole.py").write_text(WHOLE)
    places = f"{Path(evolver.__file__).parents[1]}{os.pathsep}{tmp_path}"

    said = {
        python: subprocess.run(
            [python, "-c", SHOWN],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": places, "PYTHONHASHSEED": str(seed)},
        ).stdout
        for seed, python in enumerate(pythons())
    }

    assert len(set(said.values())) == 1, said
    assert len(set(next(iter(said.values())).split())) == 6
