"""Which rows are duplicates, and which of them stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from evolver.errors import SettingsError
from evolver.merge.dataset import merge
from evolver.merge.job import Cleaning, Dedup, MergeSettings, OssSource, RunSource
from evolver.merge.near import NearDuplicates
from evolver_store.schema import row_id

Plant = Callable[..., RunSource]


def batched(texts: list[str], size: int) -> list[list[str]]:
    return [texts[at : at + size] for at in range(0, len(texts), size)]


def near(texts: list[str], threshold: float) -> dict[int, tuple[int, float]]:
    index = NearDuplicates(threshold)
    for some in batched(texts, 7):
        index.add(some)
    return {one.place: (one.kept, one.jaccard) for one in index.find(range(len(texts)))}


def jaccard(first: str, second: str) -> float:
    one, two = (
        {tuple(words[at : at + 3]) for at in range(len(words) - 2)}
        for words in (first.split(), second.split())
    )
    return len(one & two) / len(one | two)


def written(output: Path) -> list[str]:
    return [json.loads(line)["instruction"] for line in output.read_text("utf-8").splitlines()]


def test_a_pair_exactly_at_the_threshold_is_a_duplicate_and_one_just_below_it_is_not() -> None:
    first, second = "a b c d e f g h i j", "a b c d e f g h i k"  # 8 shingles each, 7 in common
    assert jaccard(first, second) == 7 / 9

    assert near([first, second], 7 / 9) == {1: (0, 7 / 9)}
    assert near([first, second], 7 / 9 + 1e-9) == {}


def test_every_pair_is_judged_by_its_exact_index_on_random_texts() -> None:
    rng = Random(5)
    texts = []
    for _ in range(150):
        base = rng.choices("abcdefghijklmnopqrstuvwxyz", k=60)
        changed = [letter if rng.random() > 0.07 else "0" for letter in base]
        texts += [" ".join(base), " ".join(changed)]

    found = near(texts, 0.7)

    wanted = {
        at: (at - 1, index) for at in range(1, 300, 2) if (index := jaccard(texts[at - 1], texts[at])) >= 0.7
    }
    assert found == wanted
    assert 20 < len(wanted) < 130


def test_texts_stay_apart_however_many_short_ones_are_taken_in_at_once() -> None:
    texts = [f"word {number}" if number % 3 else "" for number in range(20_000)]
    index = NearDuplicates(0.5)
    index.add(texts)

    found = {one.place: one.kept for one in index.find(range(len(texts)))}

    assert found == dict.fromkeys(range(3, 20000, 3), 0)


@pytest.mark.parametrize("copies", [300, 2_000])
def test_pairs_are_found_among_shingles_too_common_to_be_told_apart_by_rarity(copies: int) -> None:
    shared = [" ".join(f"{letter}{at}" for at in range(40)) for letter in "ab"]
    texts = [f"{shared[place % 2]} own{place}" for place in range(copies)]

    found = near(texts, 0.9)

    assert found == {place: (place % 2, 38 / 40) for place in range(2, copies)}


def test_what_is_near_to_a_dropped_text_alone_is_kept() -> None:
    texts = [" ".join(map(str, range(start, start + 40))) for start in (0, 5, 10)]
    assert jaccard(texts[0], texts[1]) == jaccard(texts[1], texts[2]) > 0.7 > jaccard(texts[0], texts[2])

    assert near(texts, 0.7).keys() == {1}


def test_the_nearest_of_several_kept_texts_is_named() -> None:
    texts = [" ".join(map(str, range(start, start + 40))) for start in (0, 12, 8)]
    assert jaccard(texts[0], texts[1]) < 0.55 < jaccard(texts[0], texts[2]) < jaccard(texts[1], texts[2])

    assert near(texts, 0.55) == {2: (1, jaccard(texts[1], texts[2]))}


def test_texts_of_one_or_two_words_or_none_are_near_only_to_equal_ones() -> None:
    assert near(["Sort it", "sort IT!", "Sort them", "", "  ", "🙂", "🙂 ", "😀"], 0.5).keys() == {1, 4, 6}


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
def test_no_pair_is_missed_at_any_threshold(threshold: float) -> None:
    rng = Random(7)
    texts = [" ".join(rng.choices("abc", k=rng.randint(3, 12))) for _ in range(200)]
    wanted: dict[int, tuple[int, float]] = {}
    kept: list[int] = []
    for place, text in enumerate(texts):
        score, other = max(((jaccard(text, texts[at]), -at) for at in kept), default=(0.0, 0))
        if score >= threshold:
            wanted[place] = (-other, score)
        else:
            kept.append(place)

    assert near(texts, threshold) == wanted
    assert len(wanted) > (0 if threshold == 1.0 else 2)


def test_a_family_is_spared_and_strangers_and_equal_rows_are_not(plant: Plant, tmp_path: Path) -> None:
    text = "write a program that reads a file of numbers line by line and prints their sum"
    rows = [
        (0, 0, text, "x"),
        (0, 1, f"{text} twice", "x"),
        (0, 2, f"{text} TWICE", "x"),
        (1, 1, f"{text} thrice", "x"),
    ]
    source = plant(tmp_path / "s.db", rows)
    cleaning = Cleaning("near", 0.7, spare_family=True)

    report = merge([source], tmp_path / "o.jsonl", MergeSettings(order="sequential"), cleaning=cleaning)

    assert written(tmp_path / "o.jsonl") == [text, f"{text} twice"]
    assert report.dropped == {"exact_duplicate": 1, "near_duplicate": 1}


def test_sparing_families_without_looking_for_near_duplicates_is_refused() -> None:
    with pytest.raises(SettingsError, match="--dedup near"):
        Cleaning("exact", spare_family=True)


def test_the_earliest_generation_stays_whatever_the_ids(plant: Plant, tmp_path: Path) -> None:
    rows = [
        (0, 2, "Sort  a LIST", "late"),
        (1, 1, "sort a list", "early"),
        (2, 1, "Sort a list", "early too"),
    ]
    source = plant(tmp_path / "s.db", rows)

    report = merge([source], tmp_path / "o.jsonl", MergeSettings(), cleaning=Cleaning("exact"))

    assert written(tmp_path / "o.jsonl") == ["sort a list"]
    assert report.dropped == {"exact_duplicate": 2}


def test_of_equal_generations_the_first_source_stays(plant: Plant, tmp_path: Path) -> None:
    first = plant(tmp_path / "a.db", [(9, 0, "Sort a list", "x")])
    second = plant(tmp_path / "b.db", [(0, 0, "sort a list", "y")])

    for sources, wanted in (([first, second], "Sort a list"), ([second, first], "sort a list")):
        merge(sources, tmp_path / "o.jsonl", MergeSettings(), cleaning=Cleaning("near"))
        assert written(tmp_path / "o.jsonl") == [wanted]


@pytest.mark.parametrize(("dedup", "rows"), [("none", 3), ("exact", 2), ("near", 1)])
def test_each_way_to_deduplicate_goes_further(plant: Plant, tmp_path: Path, dedup: Dedup, rows: int) -> None:
    text = "write a program that reads a file of numbers line by line and prints their sum"
    source = plant(
        tmp_path / "s.db", [(0, 0, text, "x"), (1, 0, text.upper(), "x"), (2, 0, f"{text} twice", "x")]
    )

    report = merge([source], tmp_path / "o.jsonl", MergeSettings(), cleaning=Cleaning(dedup, 0.7))

    assert report.rows == rows
    assert sum(report.dropped.values()) == 3 - rows


def test_duplicates_are_dropped_before_a_limit_draws(plant: Plant, tmp_path: Path) -> None:
    source = plant(tmp_path / "s.db", [(place, 0, str(place // 2), "x") for place in range(20)])

    report = merge([source], tmp_path / "o.jsonl", MergeSettings(limit=8), cleaning=Cleaning("exact"))

    assert len(set(written(tmp_path / "o.jsonl"))) == 8
    assert (report.dropped, report.not_drawn) == ({"exact_duplicate": 10}, 2)


def test_the_report_says_which_row_stays_for_a_duplicate_and_how_near_it_is(
    plant: Plant, tmp_path: Path
) -> None:
    source = plant(
        tmp_path / "s.db", [(0, 0, "a b c d e f g h i j", "x"), (3, 1, "a b c d e f g h i k", "x")]
    )

    merge(
        [source],
        tmp_path / "o.jsonl",
        MergeSettings(),
        cleaning=Cleaning("near", 0.7),
        report_to=tmp_path / "r.json",
    )

    report = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert report["dropped_rows"] == [
        {
            "run": "run1",
            "source": "evol",
            "id": row_id(1, 3, 1, 1),
            "reason": "near_duplicate",
            "kept": {"run": "run1", "source": "evol", "id": row_id(1, 0)},
            "score": 7 / 9,
        }
    ]
    assert report["dropped"] == {"near_duplicate": 1}
    assert report["settings"]["threshold"] == 0.7


def test_rows_of_a_file_are_compared_with_those_of_a_run(plant: Plant, tmp_path: Path) -> None:
    (tmp_path / "oss.jsonl").write_text('{"instruction": "Sort a list", "response": "sorted()"}\n')
    source = plant(tmp_path / "s.db", [(0, 0, "sort a list", "x"), (1, 0, "other", "x")])

    report = merge(
        [OssSource(tmp_path / "oss.jsonl"), source],
        tmp_path / "o.jsonl",
        MergeSettings(order="sequential"),
        cleaning=Cleaning("exact"),
    )

    assert written(tmp_path / "o.jsonl") == ["Sort a list", "other"]
    assert (report.oss, report.seeds) == (1, 1)


@pytest.mark.parametrize("threshold", [0.0, 0.09, 1.01, float("nan")])
def test_a_threshold_that_is_no_share_is_refused(threshold: float) -> None:
    with pytest.raises(SettingsError, match=r"a share from 0\.1 to 1"):
        Cleaning("near", threshold)
