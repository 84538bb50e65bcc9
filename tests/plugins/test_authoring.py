"""The ways of writing a mutator, and what is said of one that is none."""

from __future__ import annotations

import asyncio
import pickle
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from evolver.errors import PluginError
from evolver.plugins import LoadedMutator, Prompt, Unusable, load_mutators, mutator


@mutator(family="depth", weight=2, version=3, markers=["edge case labels"])
def add_edge_cases(instruction: str) -> str:
    """Asks for two edge cases.

    More words.
    """
    return f"Two edge cases: {instruction}"


@mutator
def roll(instruction: str, rng: Random) -> str:
    return f"{rng.randint(1, 6)} {instruction}"


@mutator(name="renamed")
def with_option(instruction: str, shout: bool = False) -> Prompt:
    return Prompt(instruction.upper() if shout else instruction, details={"tone": "calm"}, system="Be kind.")


@mutator(family="breadth", markers=("x y",))
class HTMLPages:
    """Turns it into a page."""

    def prompt(self, instruction: str, rng: Random) -> str:
        return f"page {instruction}"

    def parse(self, completion: str) -> str:
        return completion.removeprefix("page ")


class Suffix:
    name = "suffix"
    family = "depth"
    version = 1
    markers = ()

    def __init__(self, suffix: str = "!") -> None:
        self.suffix = suffix

    def mutate(self, instruction: str, rng: Random) -> str:
        return instruction + self.suffix


def loaded(thing: object) -> LoadedMutator:
    (one,) = load_mutators([thing])
    return one


def test_a_decorated_function_carries_its_settings() -> None:
    one = loaded(add_edge_cases)

    assert (one.name, one.family, one.weight, one.version) == ("add_edge_cases", "depth", 2, 3)
    assert one.markers == ("edge case labels",)
    assert one.description == "Asks for two edge cases."
    assert one.owner.endswith(":add_edge_cases")
    assert one.needs_call
    assert one.prompt("Sort.", Random(0)) == Prompt("Two edge cases: Sort.")


def test_the_decorator_works_without_parentheses_and_hands_over_the_generator() -> None:
    one = loaded(roll)

    assert (one.name, one.family, one.weight, one.version, one.markers) == ("roll", "custom", 1, 1, ())
    assert {one.prompt("Q", Random(seed)).text for seed in range(99)} == {f"{n} Q" for n in range(1, 7)}


def test_a_second_argument_with_a_default_is_not_taken_for_the_generator() -> None:
    one = loaded(with_option)

    assert one.name == "renamed"
    assert one.prompt("Sort.", Random(0)) == Prompt("Sort.", details={"tone": "calm"}, system="Be kind.")


def test_a_decorated_function_can_still_be_called() -> None:
    assert add_edge_cases("Sort.") == "Two edge cases: Sort."
    assert roll("Q", Random(5)) == roll("Q", Random(5))
    assert add_edge_cases.__doc__ is not None


def test_a_decorated_function_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(add_edge_cases)) is add_edge_cases


def test_a_function_without_parse_takes_the_completion_without_its_wrapping() -> None:
    assert loaded(roll).parse("#Rewritten Prompt#:\nSort <b>.\n") == "Sort <b>."


def test_a_decorated_class_is_named_after_itself_and_stays_a_class() -> None:
    one = loaded(HTMLPages)

    assert isinstance(HTMLPages, type)
    assert (one.name, one.family, one.markers) == ("html_pages", "breadth", ("x y",))
    assert one.prompt("Q", Random(0)).text == "page Q"
    assert one.parse("page Q") == "Q"


def test_an_object_with_mutate_needs_no_call() -> None:
    one = loaded(Suffix("?"))

    assert not one.needs_call
    assert one.mutate("Sort", Random(0)) == "Sort?"
    with pytest.raises(PluginError, match="needs no call"):
        one.prompt("Sort", Random(0))


def test_a_loaded_mutator_is_taken_as_it_is() -> None:
    (breadth,) = load_mutators(["breadth=3"])

    assert load_mutators([breadth]) == (breadth,)


def test_the_digest_tells_version_and_source_apart_and_is_stable() -> None:
    def variant(version: int, text: str) -> LoadedMutator:
        @mutator(name="same", version=version)
        def same(instruction: str) -> str:
            return text + instruction

        return loaded(same)

    digests = {variant(1, "a").digest, variant(2, "a").digest, variant(1, "b").digest}
    assert len(digests) == 3
    assert variant(1, "a").digest in digests
    assert loaded(Suffix("!")).digest != loaded(Suffix("?")).digest


class Neither:
    """No mutator."""


class Both(Suffix):
    """Two ways at once."""

    def prompt(self, instruction: str, rng: Random) -> str:
        return instruction


class Needy(Suffix):
    """Wants an argument."""

    def __init__(self, suffix: str) -> None:
        super().__init__(suffix)


def undecorated(instruction: str) -> str:
    return instruction


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (Neither, "neither prompt"),
        (Both, "both prompt"),
        (Needy, "without arguments"),
        (undecorated, "decorate the function"),
        (7, "neither prompt"),
        ([], "empty list"),
    ],
)
def test_what_is_no_mutator_is_refused_with_its_name(thing: object, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        load_mutators([thing])


@dataclass
class Wrong:
    name: Any = "wrong"
    family: Any = "depth"
    version: Any = 1
    weight: Any = 1
    markers: Any = ()

    def mutate(self, instruction: str, rng: Random) -> str:
        return instruction


@pytest.mark.parametrize(
    "field",
    [
        {"name": "Add Edge"},
        {"name": 3},
        {"family": "seed"},
        {"family": ""},
        {"version": "1"},
        {"version": True},
        {"weight": 0},
        {"weight": -1},
        {"weight": float("nan")},
        {"weight": float("inf")},
        {"weight": "2"},
        {"markers": "one phrase"},
        {"markers": ["  "]},
        {"markers": None},
    ],
    ids=str,
)
def test_a_field_that_cannot_be_is_refused_with_its_name_and_owner(field: dict[str, Any]) -> None:
    (name,) = field
    with pytest.raises(PluginError, match=rf":Wrong: the {name}"):
        load_mutators([Wrong(**field)])


async def waits(instruction: str) -> str:
    await asyncio.sleep(0)
    return instruction


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (waits, "async"),
        (lambda: "", "must take"),
        (lambda a, b, c: "", "must take"),
        (lambda a, *, key: "", "must take"),
        ("depth", "by name"),
    ],
)
def test_a_function_of_another_form_is_refused_where_it_is_decorated(function: Any, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        mutator(function)


def test_an_unknown_setting_of_the_decorator_is_an_error() -> None:
    with pytest.raises(TypeError, match="wieght"):
        mutator(wieght=2)  # type: ignore[call-overload]


class Broken:
    family = "depth"

    def __init__(self, result: object) -> None:
        self.name = "broken"
        self.result = result

    def prompt(self, instruction: str, rng: Random) -> Any:
        return self._result()

    def parse(self, completion: str) -> Any:
        return self._result()

    def _result(self) -> object:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.mark.parametrize("result", [ValueError("no luck"), None, 7, b"bytes"], ids=repr)
def test_a_mutator_that_fails_is_named_with_its_owner_and_the_way_on(result: object) -> None:
    one = loaded(Broken(result))
    said = r"mutator 'broken' \(.*:Broken\) (raised ValueError: no luck|returned .*); the run stops.*same command again"

    with pytest.raises(PluginError, match=said):
        one.prompt("Q", Random(0))


@pytest.mark.parametrize("result", [ValueError("no luck"), None, 7, b"bytes"], ids=repr)
def test_a_reply_that_a_mutator_cannot_read_is_unusable_and_says_why(result: object) -> None:
    with pytest.raises(Unusable, match=r"no luck|parse returned .*, where the evolved instruction is wanted"):
        loaded(Broken(result)).parse("Q")


def test_a_blank_prompt_is_refused() -> None:
    with pytest.raises(PluginError, match="empty prompt"):
        loaded(Broken(" \n")).prompt("Q", Random(0))


def test_a_mutate_that_returns_no_text_is_refused() -> None:
    suffix = Suffix()
    suffix.mutate = lambda instruction, rng: None  # type: ignore[method-assign,assignment,return-value]

    with pytest.raises(PluginError, match="returned None from mutate"):
        loaded(suffix).mutate("Q", Random(0))
