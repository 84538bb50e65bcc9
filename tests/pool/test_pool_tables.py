"""Tables of any dialect give the same seeds; a text with commas stays a text."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

import pytest

from evolver.errors import PoolError
from evolver.pool import Pool, PoolReport, Reading, Seed
from evolver.pool.record import MAX_ROW

ROWS = [
    ("Explain why bread\ngoes stale.", "Starch; it recrystallises, as it cools."),
    ('Say "x".', "x\ty | z"),
    ("Sort: 3, 1", "1, 3"),
]


def write(folder: Path, data: str | bytes, name: str = "pool") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def pairs(
    path: Path, how: Reading | None = None, report: PoolReport | None = None
) -> list[tuple[str, str | None]]:
    return [(seed.instruction, seed.response) for seed in Pool(path, how).seeds(report)]


def as_table(
    delimiter: str, *, quoting: int = csv.QUOTE_MINIMAL, end: str = "\n", index: bool = False
) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    writer.writerow([""] * index + ["Prompt", "completion"])
    for number, row in enumerate(ROWS):
        writer.writerow([number] * index + list(row))
    return text.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_dialect_and_encoding_gives_the_same_seeds(
    tmp_path: Path, delimiter: str, quoting: int, end: str, index: bool, encoding: str
) -> None:
    table = as_table(delimiter, quoting=quoting, end=end, index=index)

    assert pairs(write(tmp_path, table.encode(encoding))) == ROWS


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("sep=;\nprompt;completion\nSay, x.;x\n", [("Say, x.", "x")]),
        ('prompt, completion\nSay x., "x, y"\n', [("Say x.", "x, y")]),
        ('prompt,completion\n"Say \\"x\\", twice.","x\\\\y"\n', [('Say "x", twice.', "x\\y")]),
        ("prompt,completion\rSay x.,x\rSay y.,y\r", [("Say x.", "x"), ("Say y.", "y")]),
        ("\n\nprompt,completion\n\nSay x.,x\n,\n\nSay y.,y", [("Say x.", "x"), ("Say y.", "y")]),
        (
            'prompt\tcompletion\n5" nails or 6"?\t6"\n"So" he said.\tx\n',
            [('5" nails or 6"?', '6"'), ('"So" he said.', "x")],
        ),
        ("prompt,completion\nSay x.,\n", [("Say x.", None)]),
        ("prompt,completion\nSay x.\n", [("Say x.", None)]),
        ("instruction\nSay x, then y.\nSay z.\n", [("Say x, then y.", None), ("Say z.", None)]),
        ('"instruction"\n"Say x,\nthen y."\n', [("Say x,\nthen y.", None)]),
        (
            "instruction,input,output\nSort.,3 1,1 3\nSay x.,<noinput>,x\n",
            [("Sort.\n3 1", "1 3"), ("Say x.", "x")],
        ),
        ("idx,Skill,Difficulty,Instruction\n1,Math,3,Add one.\n", [("Add one.", None)]),
        ("Prompt|Completion|\nSay x.|x|\n", [("Say x.", "x")]),
    ],
)
def test_the_ways_of_spreadsheets_are_read(
    tmp_path: Path, table: str, expected: list[tuple[str, str | None]]
) -> None:
    assert pairs(write(tmp_path, table)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Sort the list, then reverse it.\nName a colour; any.\n",
        "Red, green\nBlue, yellow\nBlack, white\nPink, grey\nBrown, tan\n",
        "Question, answer, and repeat.\nName a river.\n",
        "Use a | b in the shell.\nSay x.\n",
        '"Say x."\nSay y.\n"Say z," she said.\n',
    ],
)
def test_lines_with_commas_and_bars_stay_instructions(tmp_path: Path, text: str) -> None:
    assert [instruction for instruction, _ in pairs(write(tmp_path, text))] == text.splitlines()


def test_columns_nobody_knows_are_told_with_the_option_that_would_do(tmp_path: Path) -> None:
    path = write(tmp_path, "id;Domanda lunga;Risposta\n1;Di' x.;x\n", "pool.csv")

    with pytest.raises(PoolError) as caught:
        pairs(path)

    assert (
        "has no known shape; nothing was written. Its columns are 'id', 'Domanda lunga', 'Risposta'"
        in str(caught.value)
    )
    assert "--column instruction='Domanda lunga' --column response=Risposta" in str(caught.value)
    how = Reading(columns={"instruction": "Domanda lunga", "response": "Risposta"})
    assert pairs(path, how) == [("Di' x.", "x")]


def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    path = write(tmp_path, "prompt,completion\nSay x.,x\n")

    with pytest.raises(
        PoolError,
        match=r"has no column 'Risposta'; nothing was written\. Its columns are 'prompt', 'completion'",
    ):
        pairs(path, Reading(columns={"response": "Risposta"}))


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ('prompt,completion\n"Say x.,x\nSay y.,y\n', "is cut off inside the quotes of row 1"),
        ('prompt,completion\nSay x.,x\n"Say" y.,y\n', r"has a stray quote in row 2 \(line 3\)"),
        (f'prompt,completion\n"{"x" * (MAX_ROW + 9)}",y\n', "longer than 8 MiB"),
        ('prompt,completion\n"' + "x,y\n" * (MAX_ROW // 3), "longer than 8 MiB"),
    ],
)
def test_quotes_that_are_wrong_are_an_error_that_names_the_row(tmp_path: Path, table: str, what: str) -> None:
    with pytest.raises(PoolError, match=what):
        pairs(write(tmp_path, table, "pool.csv"))


def test_a_row_with_more_fields_than_columns_is_a_bad_row(tmp_path: Path) -> None:
    report = PoolReport()

    assert pairs(write(tmp_path, "prompt,completion\nSay x, y.,x\nSay z.,z\n"), report=report) == [
        ("Say z.", "z")
    ]
    assert report.skipped_in_words() == "1 more fields than columns (first: line 2)"


def test_further_columns_travel_with_their_seed(tmp_path: Path) -> None:
    path = write(tmp_path, "id,prompt,completion,Skill,empty\n7,Say x.,x,Math,\n")

    assert list(Pool(path).seeds()) == [Seed(0, "Say x.", "x", {"id": "7", "columns": {"Skill": "Math"}})]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Domanda;Risposta\nPerché il cielo è blu?;Così è\nQual è la città?;Roma\n", "cp1252"),
        ("prompt,completion\nErkläre warum Brot trocken wird.,Stärke\n", "latin-1"),
        ("prompt,completion\n" + "Say x.,x\n" * 100_000 + "Nommez un café déjà “fermé”.,non\n", "cp1252"),
    ],
)
def test_western_text_of_eight_bits_is_read_and_its_encoding_told(
    tmp_path: Path, text: str, encoding: str
) -> None:
    report = PoolReport()
    how = Reading(columns={"instruction": "Domanda"} if text.startswith("Domanda") else {})
    path = write(tmp_path, text.encode(encoding), "pool.csv")

    last = text.strip().splitlines()[-1].rpartition("," if "," in text else ";")[0]
    assert pairs(path, how, report)[-1][0] == last
    assert report.encoding == "cp1252"
    assert "cp1252 (it is no UTF-8)" in report.read_as()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Вопрос;Ответ\nПочему небо голубое?;Потому что рассеяние\n", "cp1251"),
        ("質問,回答\nパンが古くなる理由を説明してください。,でんぷんが再結晶するからです。\n", "shift_jis"),
        ("Wyjaśnij, dlaczego chleb czerstwieje. Zażółć gęślą jaźń\n", "cp1250"),
    ],
)
def test_text_in_another_encoding_is_refused_with_the_name_of_it(
    tmp_path: Path, text: str, encoding: str
) -> None:
    with pytest.raises(
        PoolError, match=f"is not UTF-8 text after row 0; it looks like {encoding}; nothing was written"
    ):
        pairs(write(tmp_path, text.encode(encoding)))


def test_a_line_of_double_tabs_is_read_as_quickly_as_any(tmp_path: Path) -> None:
    path = write(tmp_path, "\t\t".join(f"c{number}" for number in range(24)) + "\nx\n")
    start = time.process_time()
    assert len(pairs(path)) == 2
    assert time.process_time() - start < 1
