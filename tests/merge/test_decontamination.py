"""What of a benchmark makes a row contaminated, with the edges of each measure, and what becomes of its family."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evolver.errors import OutputError, PoolError, SettingsError
from evolver.merge.benchmarks import Item, read_benchmarks
from evolver.merge.contamination import Contamination, Finding
from evolver.merge.dataset import merge
from evolver.merge.job import Cleaning, MergeSettings, RunSource
from evolver_store.schema import row_id

Plant = Callable[..., RunSource]


def text(first: int, count: int) -> str:
    """Words that stand in no other text."""
    return " ".join(f"w{number}" for number in range(first, first + count))


def find(item: Item, instruction: str, response: str = "") -> Finding | None:
    return Contamination([item]).find(instruction, response)


def test_a_prompt_of_eight_words_is_found_in_a_longer_text_and_one_of_seven_is_not() -> None:
    for count, found in ((8, True), (7, False)):
        finding = find(Item("i", text(0, count), ""), f"Please: {text(0, count)}. Thanks.")
        assert (finding is not None) == found


def test_a_shorter_prompt_is_found_where_it_is_all_of_the_text() -> None:
    item = Item("i", "Sort a list.", "")

    assert find(item, "sort  a LIST") == Finding("i", "prompt", "instruction", "substring", 1.0)
    assert find(item, "sort a list of numbers") is None


def test_a_solution_of_thirteen_words_is_found_and_one_of_twelve_is_not() -> None:
    for count, found in ((13, True), (12, False)):
        finding = find(Item("i", "", text(0, count)), "Solve it", f"So: {text(0, count)}.")
        assert (finding is not None) == found


def test_a_trivial_solution_is_never_found() -> None:
    assert find(Item("i", "", "    return x + y\n"), "Add", "    return x + y\n") is None


def test_thirteen_words_of_a_prompt_in_a_row_are_found_and_twelve_are_not() -> None:
    item = Item("i", text(0, 40), "")

    assert find(item, f"one {text(5, 12)} two") is None
    assert find(item, f"one {text(5, 13)} two") == Finding("i", "prompt", "instruction", "ngram", 1 / 28)


def test_an_ngram_of_few_different_words_is_no_finding() -> None:
    item = Item("i", f"{text(0, 10)} {'0 1 2 3 4 5 ' * 4}{text(20, 10)}", "")

    assert find(item, "a list: 0 1 2 3 4 5 0 1 2 3 4 5 0 1 2 3 4 5") is None


def test_an_ngram_of_more_than_ten_items_is_the_phrase_of_the_benchmark() -> None:
    def items(count: int) -> list[Item]:
        return [
            Item(str(number), f"{text(0, 13)} {text(100 * number + 100, 20)}", "") for number in range(count)
        ]

    assert Contamination(items(10)).find(text(0, 13), "") is not None
    assert Contamination(items(11)).find(text(0, 13), "") is None


def test_half_of_a_solutions_ngrams_are_found_and_less_are_not() -> None:
    item = Item("i", "", text(0, 32))  # 20 13-grams

    assert find(item, "Solve it", text(0, 21)) is None
    assert find(item, "Solve it", text(0, 22)) == Finding("i", "solution", "response", "ngram", 0.5)


def broken(first: int, count: int) -> str:
    """Eight words of a text, then a strange one, and so on: no 13-gram is left."""
    return " ".join(f"{text(at, 8)} x{at}" for at in range(first, first + count, 8))


def test_half_of_a_prompts_shingles_are_found_and_less_are_not() -> None:
    item = Item("i", text(0, 50), "")  # 48 shingles; each eight words hold six

    assert find(item, broken(0, 24)) is None
    assert find(item, broken(0, 32)) == Finding("i", "prompt", "instruction", "similarity", 0.5)


def test_a_prompt_of_fewer_than_twenty_shingles_is_not_judged_by_similarity() -> None:
    assert find(Item("i", text(0, 22), ""), f"{text(0, 8)} x {text(8, 8)}") is not None
    assert find(Item("i", text(0, 21), ""), f"{text(0, 8)} x {text(8, 8)}") is None


def test_seven_tenths_of_a_solutions_shingles_are_found_and_less_are_not() -> None:
    item = Item("i", "", text(0, 82))  # 80 shingles
    rows = {40: False, 80: True}

    for count, found in rows.items():
        finding = find(item, "Solve it", broken(0, count))
        assert (finding is not None) == found


def test_the_strongest_finding_is_named() -> None:
    items = [Item("whole", text(0, 14), ""), Item("part", text(0, 30), "")]
    contamination = Contamination(items)

    assert contamination.find(text(0, 13), text(0, 14)) == Finding(
        "whole", "prompt", "response", "substring", 1.0
    )


def family(ordinal: int, *instructions: str) -> list[tuple[int, int, str, str | None]]:
    return [(ordinal, epoch, instruction, "fine") for epoch, instruction in enumerate(instructions)]


LEAK = text(0, 20)


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    file = tmp_path / "bench.jsonl"
    file.write_text(json.dumps({"task_id": "B/1", "prompt": LEAK, "canonical_solution": "return 1"}) + "\n")
    return file


def merged(
    source: RunSource, tmp_path: Path, cleaning: Cleaning, settings: MergeSettings | None = None
) -> tuple[list[str], dict[str, object]]:
    merge(
        [source],
        tmp_path / "o.jsonl",
        settings or MergeSettings(order="sequential"),
        cleaning=cleaning,
        report_to=tmp_path / "r.json",
    )
    lines = (tmp_path / "o.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["instruction"] for line in lines], json.loads(
        (tmp_path / "r.json").read_text("utf-8")
    )


def test_a_contaminated_row_is_dropped_with_item_method_and_score(
    plant: Plant, tmp_path: Path, benchmark: Path
) -> None:
    source = plant(tmp_path / "s.db", [*family(0, "clean"), *family(1, f"Do this: {LEAK}")])

    rows, report = merged(source, tmp_path, Cleaning(decontaminate=(benchmark,)))

    assert rows == ["clean"]
    assert report["dropped"] == {"contaminated": 1}
    assert report["dropped_rows"] == [
        {
            "run": "run1",
            "source": "evol",
            "id": row_id(1, 1),
            "reason": "contaminated",
            "item": "bench.jsonl B/1",
            "part": "prompt",
            "field": "instruction",
            "method": "substring",
            "score": 1.0,
        }
    ]


def test_descendants_of_a_contaminated_row_are_flagged(plant: Plant, tmp_path: Path, benchmark: Path) -> None:
    source = plant(
        tmp_path / "s.db", [*family(0, "a", "b"), *family(1, "clean", LEAK, "child", "grandchild")]
    )

    rows, report = merged(source, tmp_path, Cleaning(decontaminate=(benchmark,)))

    assert rows == ["a", "b", "clean", "child", "grandchild"]
    assert report["flagged"] == 2
    assert report["flagged_rows"] == [
        {
            "run": "run1",
            "source": "evol",
            "id": row_id(1, 1, epoch, 1),
            "reason": "contaminated_family",
            "ancestor": {"run": "run1", "source": "evol", "id": row_id(1, 1, 1, 1)},
        }
        for epoch in (2, 3)
    ]


def test_descendants_are_dropped_where_families_are_to_go(
    plant: Plant, tmp_path: Path, benchmark: Path
) -> None:
    source = plant(
        tmp_path / "s.db", [*family(0, "a", "b"), *family(1, "clean", LEAK, "child", "grandchild")]
    )

    rows, report = merged(source, tmp_path, Cleaning(decontaminate=(benchmark,), families=True))

    assert rows == ["a", "b", "clean"]
    assert (report["dropped"], report["flagged"]) == ({"contaminated": 1, "contaminated_family": 2}, 0)


def test_an_ancestor_counts_though_it_is_no_row_of_the_dataset(
    plant: Plant, tmp_path: Path, benchmark: Path
) -> None:
    rows = [(0, 0, LEAK, None), (0, 1, "child", "fine"), (1, 0, "clean", "fine"), (1, 1, "its child", "fine")]
    source = plant(tmp_path / "s.db", rows)

    left, report = merged(
        source,
        tmp_path,
        Cleaning(decontaminate=(benchmark,), families=True),
        MergeSettings(order="sequential", epochs=(1, 4)),
    )

    assert left == ["its child"]
    assert report["dropped"] == {"contaminated_family": 1}


def test_a_clean_duplicate_of_a_contaminated_row_is_kept(
    plant: Plant, tmp_path: Path, benchmark: Path
) -> None:
    source = plant(tmp_path / "s.db", [(0, 0, "Solve it", LEAK), (1, 1, "solve it", "fine")])

    rows, report = merged(source, tmp_path, Cleaning("exact", decontaminate=(benchmark,)))

    assert rows == ["solve it"]
    assert report["dropped"] == {"contaminated": 1}


def test_nothing_left_is_an_error_and_no_file(plant: Plant, tmp_path: Path, benchmark: Path) -> None:
    source = plant(tmp_path / "s.db", family(0, LEAK))

    with pytest.raises(OutputError, match=r"nothing was written.*Dropped by cleaning: 1\."):
        merge([source], tmp_path / "o.jsonl", MergeSettings(), cleaning=Cleaning(decontaminate=(benchmark,)))

    assert not (tmp_path / "o.jsonl").exists()


HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": "def f():",
    "canonical_solution": "return 1",
    "entry_point": "f",
}
MBPP = {"task_id": 11, "text": "Write f.", "code": "def f(): pass", "test_list": ["assert f()"]}
SANITIZED = {"task_id": 11, "prompt": "Write f.", "code": "def f(): pass", "test_list": ["assert f()"]}


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        (HUMANEVAL, Item("b.jsonl HumanEval/0", "def f():", "return 1")),
        (MBPP, Item("b.jsonl 11", "Write f.", "def f(): pass")),
        (SANITIZED, Item("b.jsonl 11", "Write f.", "def f(): pass")),
        ({"question": "How many?", "answer": "#### 3"}, Item("b.jsonl line 1", "How many?", "#### 3")),
        ({"instruction": "Add", "input": "1 2", "output": "3"}, Item("b.jsonl line 1", "Add\n1 2", "3")),
        ({"problem": "P", "solution": "S"}, Item("b.jsonl line 1", "P", "S")),
        ({"messages": [{"role": "user", "content": "Q"}]}, Item("b.jsonl line 1", "Q", "")),
    ],
)
def test_a_benchmark_is_read_by_its_own_fields(tmp_path: Path, row: dict[str, object], wanted: Item) -> None:
    (tmp_path / "b.jsonl").write_text(json.dumps(row) + "\n")

    assert read_benchmarks([tmp_path / "b.jsonl"]) == [wanted]


def test_a_benchmark_may_be_parquet_a_json_list_or_plain_text(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([HUMANEVAL]), tmp_path / "b.parquet")
    (tmp_path / "b.json").write_text(json.dumps([HUMANEVAL], indent=2))
    (tmp_path / "b.txt").write_text("Write f.\n")

    items = read_benchmarks([tmp_path / name for name in ("b.parquet", "b.json", "b.txt")])

    assert items == [
        Item("b.parquet HumanEval/0", "def f():", "return 1"),
        Item("b.json HumanEval/0", "def f():", "return 1"),
        Item("b.txt line 1", "Write f.", ""),
    ]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "holds no problem"),
        (b'{"task_id": 1, "prompt": "a"}\n{"task_id": 2}\n', "line 2: no known fields"),
        (b'{"task_id": 1, "prompt": " "}\n', "line 1: neither prompt nor solution"),
        (b'{"task_id": 1, "prompt": "a"}\nbroken\n{"prompt": "b"}\n', "line 2: not JSON"),
        (b'{"task_id": 1, "prompt": "a"}\n{"task_id": 2, "pro', "is cut off in line 2"),
        ('{"prompt": "é"}\n'.encode() + b'{"prompt": "\xff"}\n', "is not UTF-8"),
        (b"PAR1 and no more", "is cut off"),
        (b"\x1f\x8b packed", "damaged gzip data"),
    ],
)
def test_a_benchmark_that_cannot_be_read_whole_is_an_error(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "b").write_bytes(content)

    with pytest.raises(PoolError, match=f"the benchmark .*{what}.*; nothing was written"):
        read_benchmarks([tmp_path / "b"])


def test_a_benchmark_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(PoolError, match=r"none\.jsonl does not exist"):
        read_benchmarks([tmp_path / "none.jsonl"])


def test_families_without_a_benchmark_are_refused() -> None:
    with pytest.raises(SettingsError, match="--decontaminate"):
        Cleaning(families=True)


def test_rows_are_judged_alike_alone_and_beside_thousands_of_others() -> None:
    rng = Random(3)
    words = [f"w{number}" for number in range(60)]
    items = [
        Item(
            f"i/{number}",
            " ".join(rng.choices(words, k=rng.randint(8, 40))),
            " ".join(rng.choices(words, k=60)),
        )
        for number in range(50)
    ]
    contamination = Contamination(items)

    def text() -> str:
        item = rng.choice(items)
        source = rng.choice([item.prompt, item.solution]).split()
        begin = rng.randrange(len(source))
        return " ".join([*rng.choices(words, k=5), *source[begin : begin + 30], *rng.choices(words, k=5)])

    rows = [(text(), text()) for _ in range(3_000)]
    together = contamination.find_all(rows)

    assert together[::10] == [contamination.find(*row) for row in rows[::10]]
    assert {one.method for one in together if one} == {"substring", "ngram", "similarity"}


def test_nothing_is_passed_over_for_holding_few_shingles_of_a_benchmark_of_long_texts() -> None:
    long = [" ".join(f"{letter}{at}" for at in range(100)) for letter in "abc"]
    contamination = Contamination([Item(text[0], text, "") for text in long])
    thirteen, twelve = " ".join(long[1].split()[40:53]), " ".join(long[1].split()[40:52])

    found = contamination.find(f"before {thirteen} after", "")

    assert found is not None
    assert (found.item, found.method) == ("b", "ngram")
    assert contamination.find(f"before {twelve} after", "") is None
