"""Mutators from ``.jinja`` files."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evolver.errors import PluginError
from evolver.plugins import LoadedMutator, load_mutators

WHOLE = """---
name: edge_cases
family: depth
weight: 2
version: 3
markers: [edge case labels, "two: edges"]
description: Asks for edge cases.
---
Name two edge cases.

{{ instruction }}
"""


def load(folder: Path, text: str, name: str = "mine.jinja") -> LoadedMutator:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    (one,) = load_mutators([str(path)])
    return one


def test_the_front_matter_sets_everything(tmp_path: Path) -> None:
    one = load(tmp_path, WHOLE)

    assert (one.name, one.family, one.weight, one.version) == ("edge_cases", "depth", 2, 3)
    assert one.markers == ("edge case labels", "two: edges")
    assert one.description == "Asks for edge cases."
    assert one.owner == str(tmp_path / "mine.jinja")
    assert one.prompt("Sort.", Random(0)).text == "Name two edge cases.\n\nSort."
    assert one.parse("#Rewritten Prompt#:\nSort.") == "Sort."


@pytest.mark.parametrize(
    "text", ["{{ instruction }}", "---\n---\n{{ instruction }}", "\ufeff---\r\n---\r\n{{ instruction }}"]
)
def test_without_front_matter_the_file_gives_the_name(tmp_path: Path, text: str) -> None:
    one = load(tmp_path, text)

    assert (one.name, one.family, one.weight, one.version, one.markers) == ("mine", "custom", 1, 1, ())
    assert one.prompt("Q", Random(0)).text == "Q"


@given(st.text(min_size=1).filter(lambda text: text.strip()))
@example("{{ 7 * 7 }}{% raw %}<b>\r\n---\n")
def test_an_instruction_comes_through_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, instruction: str
) -> None:
    one = load(tmp_path_factory.getbasetemp(), "<p>\n{{ instruction }}")

    assert one.prompt(instruction, Random(0)).text == f"<p>\n{instruction}"


def test_the_digest_changes_with_the_text(tmp_path: Path) -> None:
    assert load(tmp_path, WHOLE).digest == load(tmp_path, WHOLE, "other.jinja").digest
    assert load(tmp_path, WHOLE).digest != load(tmp_path, WHOLE.replace("two", "three")).digest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("---\nwieght: 2\n---\n{{ instruction }}", "'wieght'.*Did you mean 'weight'"),
        ("---\nname: A B\n---\n{{ instruction }}", "the name 'A B'"),
        ("---\nname:\n---\n{{ instruction }}", "the name None"),
        ("---\nweight: heavy\n---\n{{ instruction }}", "the weight 'heavy'"),
        ("---\nversion: 1.5\n---\n{{ instruction }}", "the version 1.5"),
        ("---\nmarkers: one phrase\n---\n{{ instruction }}", "the markers 'one phrase'"),
        ("---\nname: [\n---\n{{ instruction }}", "no YAML"),
        ("---\n- name\n---\n{{ instruction }}", "no list of keys"),
        ("---\nname: a\n{{ instruction }}", "has no end"),
        ("---\nname: a\n---\n{{ instruction }}\n{{ tone }}", "'tone'"),
        ("---\nname: a\n---\n{{ instruction }}\n{% fi %}", "line 5"),
        ("---\nname: a\n---\nRewrite it.", "never uses"),
    ],
)
def test_what_is_wrong_is_said_with_the_file_and_the_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(PluginError, match=rf"mine\.jinja.*{message}"):
        load(tmp_path, text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.jinja").write_bytes(b"\xe9 {{ instruction }}")

    with pytest.raises(PluginError, match=r"none\.jinja cannot be read"):
        load_mutators([str(tmp_path / "none.jinja")])
    with pytest.raises(PluginError, match=r"latin\.jinja is not UTF-8"):
        load_mutators([str(tmp_path / "latin.jinja")])


def test_a_template_that_fails_on_an_instruction_stops_the_run_with_its_name(tmp_path: Path) -> None:
    one = load(tmp_path, "{{ instruction.missing }}")

    with pytest.raises(
        PluginError, match=r"'mine' \(.*mine\.jinja\) raised UndefinedError.*same command again"
    ):
        one.prompt("Q", Random(0))


@pytest.mark.parametrize(
    "way_out",
    [
        "{{ instruction.__class__.__mro__[1].__subclasses__() }}",
        "{{ ''.__class__ }}{{ ''.__class__.__base__ }}",
        "{{ instruction.format.__globals__ }}",
        "{{ '{0.__class__.__mro__}'.format(instruction) }}",
        "{{ instruction|attr('format')('{0.__class__.__init__.__globals__}') }}",
    ],
)
def test_a_template_finds_no_way_out_of_its_sandbox(tmp_path: Path, way_out: str) -> None:
    one = load(tmp_path, f"{{{{ instruction }}}} {way_out}")
    try:
        text = one.prompt("Q", Random(0)).text
    except PluginError:
        return
    assert "class" not in text
    assert "module" not in text
