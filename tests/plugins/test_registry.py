"""Finding mutators by name, preset, file and entry point."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from evolver.errors import PluginError
from evolver.plugins import (
    LoadedMutator,
    MutatorSet,
    Prompt,
    installed,
    load_mutators,
    mutator,
    parse_mutator_list,
)
from evolver_mutators import BREADTH, WIZARDCODER, WIZARDLM

OWN = """
from evolver.plugins import mutator

@mutator(family="depth", weight=2)
def own(instruction):
    "Mine."
    return "Own: " + instruction

@mutator
def other(instruction, rng):
    return "Other: " + instruction

PRESET = [own, other]
"""


def weights(*specs: object) -> dict[str, float]:
    return {one.name: one.weight for one in load_mutators(specs)}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.py"
    path.write_text(OWN, encoding="utf-8")
    return path


def package(root: Path, name: str, code: str, entry_points: str) -> None:
    """Lay out a package as an installer does: the module, and its metadata beside it."""
    (root / f"{name}.py").write_text(code, encoding="utf-8")
    metadata = root / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8"
    )
    (metadata / "entry_points.txt").write_text(f"[evolver.mutators]\n{entry_points}\n", encoding="utf-8")


def test_without_a_list_the_preset_is_used() -> None:
    assert list(weights()) == [one.name for one in WIZARDLM]
    assert [one.name for one in load_mutators(preset="wizardcoder")] == [one.name for one in WIZARDCODER]
    assert set(weights().values()) == {1}


def test_the_built_in_mutators_come_through_the_entry_points() -> None:
    known = installed()

    assert known.presets.keys() >= {"wizardlm", "wizardcoder"}
    assert known.mutators["deepen"].owner == "evolver_mutators (entry point wizardlm)"
    assert known.presets_of("code_specific") == ["wizardcoder"]


def test_a_list_is_split_at_its_commas() -> None:
    assert parse_mutator_list("a, b=2,x/y.py:Name=0.5") == ["a", "b=2", "x/y.py:Name=0.5"]
    assert load_mutators("deepen,breadth=2") == load_mutators(["deepen", "breadth=2"])


@pytest.mark.parametrize("text", ["", "a,,b", "a,", ","])
def test_a_list_with_an_empty_place_is_refused(text: str) -> None:
    with pytest.raises(PluginError, match="empty place"):
        parse_mutator_list(text)


def test_a_list_of_nothing_but_empty_places_is_not_the_preset() -> None:
    with pytest.raises(PluginError, match="list of mutators ',' has an empty place"):
        load_mutators(["", ""])


def test_a_single_mutator_is_no_preset() -> None:
    with pytest.raises(PluginError, match=r"'deepen' is a mutator and no preset; .* --mutators deepen"):
        load_mutators(preset="deepen")


def test_weights_are_set_after_the_equals_sign() -> None:
    assert weights("deepen=2", "breadth=0.5", "concretize") == {"deepen": 2, "breadth": 0.5, "concretize": 1}


def test_a_member_named_beside_its_preset_gets_the_weight_in_either_order() -> None:
    expected = {one.name: 1.0 for one in WIZARDLM} | {"breadth": 2}

    assert weights("wizardlm", "breadth=2") == expected
    assert weights("breadth=2", "wizardlm") == expected


def test_the_weight_of_a_preset_multiplies_those_of_its_members(own: Path) -> None:
    assert weights(f"{own}:PRESET=3") == {"own": 6, "other": 3}
    assert weights("wizardlm", "wizardcoder=0.2")["code_specific"] == 0.2


@pytest.mark.parametrize(
    "spec", ["breadth=0", "breadth=-1", "breadth=nan", "breadth=inf", "breadth=two", "breadth="]
)
def test_a_weight_that_is_no_number_above_0_is_refused(spec: str) -> None:
    with pytest.raises(PluginError, match=rf"{spec}.*weight"):
        load_mutators([spec])


def test_an_unknown_name_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(PluginError, match="Did you mean 'deepen'"):
        load_mutators(["depen"])
    with pytest.raises(PluginError, match="Did you mean 'wizardcoder'"):
        load_mutators(preset="wizardcode")
    with pytest.raises(PluginError, match=r"mine\.py:Name"):
        load_mutators(["mine.py"])


@pytest.mark.parametrize(
    "specs",
    [
        ["deepen", "deepen"],
        ["deepen", "deepen=2"],
        ["wizardlm", "deepen"],
        ["wizardlm", "wizardlm"],
        ["wizardlm", BREADTH],
    ],
    ids=str,
)
def test_a_mutator_listed_twice_is_refused(specs: list[object]) -> None:
    with pytest.raises(PluginError, match="listed twice"):
        load_mutators(specs)


def test_a_mutator_comes_from_a_file_with_its_weight(own: Path) -> None:
    (one,) = load_mutators([f"{own}:own=0.5"])

    assert (one.name, one.weight, one.owner, one.description) == ("own", 0.5, f"{own}:own", "Mine.")
    assert one.prompt("Q", Random(0)) == Prompt("Own: Q")


def test_a_path_with_an_equals_sign_is_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "a=b"
    folder.mkdir()
    (folder / "own.py").write_text(OWN, encoding="utf-8")
    (folder / "x.jinja").write_text("{{ instruction }}", encoding="utf-8")

    assert weights(f"{folder}/own.py:own", f"{folder}/x.jinja=3") == {"own": 2, "x": 3}
    assert weights(f"{folder}/x.jinja") == {"x": 1}


def test_the_same_object_by_another_way_is_the_same_mutator() -> None:
    assert load_mutators(["evolver_mutators:BREADTH=2"]) == load_mutators(["breadth=2"])
    assert load_mutators([BREADTH]) == load_mutators(["breadth"])
    assert load_mutators([WIZARDLM]) == load_mutators()


def test_a_name_taken_twice_is_an_error_that_names_both_owners(own: Path) -> None:
    @mutator
    def deepen(instruction: str) -> str:
        return instruction

    @mutator(name="own")
    def mine(instruction: str) -> str:
        return instruction

    with pytest.raises(
        PluginError, match=r"'deepen' is taken twice, by evolver_mutators .*wizardlm.* and by .*deepen"
    ):
        load_mutators(["wizardcoder", deepen])
    with pytest.raises(PluginError, match=rf"'own' is taken twice, by {own}:own and by .*mine"):
        load_mutators([f"{own}:own", mine])


def test_a_mutator_cannot_take_the_name_of_a_preset() -> None:
    @mutator
    def wizardlm(instruction: str) -> str:
        return instruction

    with pytest.raises(PluginError, match="'wizardlm' is taken twice"):
        load_mutators([wizardlm])


def test_an_installed_package_brings_a_preset_and_a_single_mutator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "edge_a", OWN + "\nSINGLE = own", "edge = edge_a:PRESET\nlone = edge_a:own")
    monkeypatch.syspath_prepend(tmp_path)

    assert weights("edge") == {"own": 2, "other": 1}
    assert weights("own", "deepen") == {"own": 2, "deepen": 1}
    assert installed().presets_of("own") == ["edge"]


def test_two_packages_that_take_one_name_are_both_named_whatever_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "edge_b", OWN, "edge = edge_b:own")
    package(tmp_path, "edge_c", OWN, "fringe = edge_c:own")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(
        PluginError, match=r"'own' is taken twice, by edge_b \(entry point edge\) and by edge_c"
    ):
        load_mutators(["wizardlm"])


def test_two_packages_with_presets_of_one_name_are_both_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "edge_d", OWN, "wizardlm = edge_d:PRESET")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(PluginError, match=r"'wizardlm' is taken twice, by edge_d .* and by evolver_mutators"):
        load_mutators()


@pytest.mark.parametrize("place", ["a_first", "z_last"])
def test_an_installed_mutator_cannot_take_the_name_of_a_preset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    code = OWN + "\nSINGLE = mutator(name='wizardcoder')(lambda instruction: instruction)"
    package(tmp_path, f"edge_{place}", code, f"{place} = edge_{place}:SINGLE")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(
        PluginError, match=r"'wizardcoder' is taken twice, by evolver_mutators .* and by edge_"
    ):
        load_mutators()


def test_a_preset_with_one_name_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = OWN + "\nTWINS = (own, mutator(name='own')(lambda instruction: instruction))"
    package(tmp_path, "edge_e", code, "twins = edge_e:TWINS")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(PluginError, match="'own' is taken twice"):
        load_mutators(["twins"])


def test_a_package_that_cannot_be_loaded_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(tmp_path, "edge_f", "raise RuntimeError('no licence')", "broken = edge_f:X")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(
        PluginError, match=r"edge_f \(entry point broken\).*RuntimeError: no licence.*uninstall"
    ):
        load_mutators()


def drawn(mutators: tuple[LoadedMutator, ...], times: int = 20_000) -> dict[str, float]:
    chosen, rng = MutatorSet(mutators), Random(1)
    return {name: n / times for name, n in Counter(chosen.draw(rng).name for _ in range(times)).items()}


def test_draws_follow_the_weights() -> None:
    shares = drawn(load_mutators(["deepen=1", "breadth=2", "concretize=7"]))

    assert shares == pytest.approx({"deepen": 0.1, "breadth": 0.2, "concretize": 0.7}, abs=0.015)


def test_the_order_of_the_list_changes_no_draw() -> None:
    one, other = (
        MutatorSet(load_mutators(specs)) for specs in (["deepen", "breadth=2"], ["breadth=2", "deepen"])
    )

    assert [one.draw(Random(n)) for n in range(200)] == [other.draw(Random(n)) for n in range(200)]


def test_a_draw_takes_one_number_and_excludes_what_was_tried() -> None:
    mutators = MutatorSet(load_mutators(["deepen", "breadth", "concretize"]))
    rng, alike = Random(4), Random(4)
    mutators.draw(rng)
    alike.random()

    assert rng.getstate() == alike.getstate()
    assert {mutators.draw(Random(n), excluding={"deepen"}).name for n in range(99)} == {
        "breadth",
        "concretize",
    }
    everything = {"deepen", "breadth", "concretize"}
    assert {mutators.draw(Random(n), excluding=everything).name for n in range(99)} == everything


def test_a_set_without_members_is_refused() -> None:
    with pytest.raises(PluginError, match="no mutator to draw"):
        MutatorSet(())
