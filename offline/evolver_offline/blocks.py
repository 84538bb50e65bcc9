"""Small, well-formed blocks of data in the six formats of ``complicate_input``, and the sentences that use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from evolver_offline.dice import Dice
from evolver_offline.subject import Subject, closed


class Theme(NamedTuple):
    """A table one can imagine: two columns of words, one of numbers, and how to speak of it."""

    table: str
    record: str
    owner: str
    first: str
    firsts: tuple[str, ...]
    second: str
    seconds: tuple[str, ...]
    number: str
    low: int
    span: int


Row = tuple[int, str, str, int]

_PEOPLE = ("Amara", "Benedikt", "Chiyo", "Dilan", "Esperanza", "Farid", "Greta", "Ines", "Kwame", "Yara")
THEMES = (
    Theme("orders", "order", "a garden shop", "item", ("rake", "twine", "seed tray", "watering can", "trowel",
          "bird feeder", "compost bag"), "customer", _PEOPLE, "quantity", 1, 24),
    Theme("readings", "reading", "a weather station", "sensor", ("roof", "cellar", "north wall", "greenhouse",
          "well", "gate"), "hour", ("06:00", "09:30", "12:00", "15:30", "18:00", "21:30"), "humidity", 31, 60),
    Theme("loans", "loan", "a village library", "title", ("Tide Tables", "A Field Guide to Mosses", "Bread and Time",
          "The Quiet Engine", "Maps of the Moor"), "reader", _PEOPLE, "days_overdue", 1, 58),
    Theme("tasks", "task", "a theatre workshop", "job", ("paint the backdrop", "test the trapdoor", "mend the curtain",
          "order gels", "label the cables"), "owner", _PEOPLE, "hours", 1, 15),
    Theme("replies", "reply", "a visitor survey", "visitor_type", ("family", "school class", "pensioner",
          "student", "tour group"), "comment", ("too dark", "clear labels", "long queue", "friendly staff",
          "no lift"), "score", 1, 10),
    Theme("departures", "departure", "a regional railway", "destination", ("Millbrook", "Harrow Bay", "Stonefield",
          "Ashdown", "Lakeside"), "platform", ("1a", "1b", "2", "3", "4"), "delay_minutes", 2, 43),
    Theme("pantry", "ingredient", "a shared kitchen", "food", ("red lentils", "buckwheat", "quinces", "barley",
          "dried mint", "chickpeas"), "shelf", ("top", "middle", "bottom", "door"), "grams", 120, 880),
    Theme("shifts", "shift", "a lifeboat station", "volunteer", _PEOPLE, "skill", ("radio", "first aid", "navigation",
          "engine", "cooking"), "hours", 2, 11),
    Theme("plots", "plot", "a community garden", "crop", ("leeks", "runner beans", "beetroot", "kale", "garlic",
          "squash"), "soil", ("sandy", "loam", "clay", "chalk"), "yield_kg", 4, 90),
    Theme("tickets", "ticket", "a school's help desk", "subject", ("printer jam", "lost password", "slow network",
          "broken headset", "missing file"), "priority", ("low", "normal", "high"), "open_days", 1, 30),
    Theme("bookings", "booking", "a mountain hostel", "room", ("Larch", "Gentian", "Marmot", "Scree", "Cirque"),
          "guest", _PEOPLE, "nights", 1, 9),
    Theme("expenses", "expense", "a choir's spring tour", "heading", ("coach hire", "sheet music", "hall rent",
          "programme printing", "supper"), "paid_by", _PEOPLE, "euros", 18, 640),
)  # fmt: skip

_DATA_NAMES = {
    "JSON": "JSON data", "XML": "XML data", "SQL database": "SQL database", "HTML page": "HTML page",
    "Python code": "Python code", "shell command": "shell command",
}  # fmt: skip
_JAPANESE_DATA_NAMES = {
    "JSON": "JSONデータ", "XML": "XMLデータ", "SQL database": "SQLデータベース", "HTML page": "HTMLページ",
    "Python code": "Pythonコード", "shell command": "シェルコマンド",
}  # fmt: skip
_CHINESE_DATA_NAMES = {
    "JSON": "JSON数据", "XML": "XML数据", "SQL database": "SQL数据库", "HTML page": "HTML页面",
    "Python code": "Python代码", "shell command": "Shell命令",
}  # fmt: skip
_ASKS = (
    "name the {record} with the highest {number}",
    "name the {record} with the lowest {number}",
    "work out the total of {number}",
    "say which records lie above the average of {number}",
    "order the records by {number}",
    "point out the two records that are closest in {number}",
)
_LEADS: dict[str, tuple[str, ...]] = {
    "code": (
        "Apply your solution to the {table} of {owner} in the {data} below, and {ask}:",
        "Make it work on the {data} below, which describes the {table} of {owner}, and {ask}:",
        "Take the {data} below, with the {table} of {owner}, as the input of your test, and {ask}:",
        "Show with the {data} below (the {table} of {owner}) that it works; in doing so, {ask}:",
    ),
    "writing": (
        "Work at least two entries from the {data} below, the {table} of {owner}, into the piece, and {ask} in a note:",
        "Let the {table} of {owner} in the {data} below supply the details; in a closing note, {ask}:",
        "Set it at {owner}, take names and details from the {data} below, and afterwards {ask}:",
    ),
    "tasks": (
        "Do the same for the {table} of {owner} in the {data} below as far as it applies, and {ask}:",
        "Use the {data} below, with the {table} of {owner}, as a second case, and {ask}:",
        "Treat the {table} of {owner} in the {data} below in the same manner, and also {ask}:",
    ),
    "prose": (
        "Illustrate the answer with the {table} of {owner} in the {data} below, and {ask}:",
        "Relate the answer to {owner}, whose {table} are given in the {data} below, and {ask}:",
        "Draw your examples from the {data} below, the {table} of {owner}, and {ask}:",
        "Apply the answer to the {table} of {owner} in the {data} below, as a test, and {ask}:",
    ),
}
_LEAD_SORTS = dict.fromkeys(("question", "list", "general", "piece"), "prose")
_JAPANESE_LEADS = (
    "次の{data}の記録を例に用い、「{number}」が最も大きいものを示しながら答えてください。",
    "回答には次の{data}の記録を少なくとも二つ用い、「{number}」の合計も求めてください。",
    "次の{data}を読み、「{number}」の小さい順に並べたうえで答えに生かしてください。",
)
_CHINESE_LEADS = (
    "请结合下面的{data}作答，并指出“{number}”最大的记录。",
    "请以下面的{data}为例说明，并计算“{number}”的总和。",
)


def with_data(subject: Subject, format_: str, dice: Dice) -> str:
    """Add a block of data in a format, and a sentence that makes the answer depend on it."""
    theme = dice.pick(THEMES)
    rows = _rows(theme, dice)
    block = _RENDERERS[format_](theme, rows, dice)
    lead = _lead(subject, theme, format_, dice)
    if subject.body or subject.inline:
        return f"{subject.text}\n\n{lead}\n\n{block}"
    return f"{closed(subject.head, ' ' if subject.language == 'en' else '')}{lead}\n\n{block}"


def _lead(subject: Subject, theme: Theme, format_: str, dice: Dice) -> str:
    if subject.language == "ja":
        return dice.pick(_JAPANESE_LEADS).format(data=_JAPANESE_DATA_NAMES[format_], number=theme.number)
    if subject.language == "zh":
        return dice.pick(_CHINESE_LEADS).format(data=_CHINESE_DATA_NAMES[format_], number=theme.number)
    data = _DATA_NAMES[format_]
    sort = subject.kind if subject.kind in _LEADS else _LEAD_SORTS.get(subject.kind, "tasks")
    ask = dice.pick(_ASKS).format(record=theme.record, number=theme.number)
    lead = dice.pick(_LEADS[sort]).format(table=theme.table, owner=theme.owner, data=data, ask=ask)
    if " below" in subject.lowered:
        return f"As a further source of data, {lead[0].lower()}{lead[1:]}"
    return lead


def _rows(theme: Theme, dice: Dice) -> list[Row]:
    many = 3 + dice.roll(3)
    start = 101 + dice.roll(800)
    firsts = dice.sample(theme.firsts, many)
    seconds = dice.sample(theme.seconds, many)
    step = 1 + dice.roll(4)
    return [
        (start + place * step, firsts[place], seconds[place], theme.low + dice.roll(theme.span))
        for place in range(many)
    ]


def _json(theme: Theme, rows: list[Row], dice: Dice) -> str:
    _, _, owner, first, _, second, _, number, _, _ = theme
    lines = [
        f'    {{"id": {id_}, "{first}": "{one}", "{second}": "{two}", "{number}": {figure}}}'
        for id_, one, two, figure in rows
    ]
    listed = ",\n".join(lines)
    return f'{{\n  "source": "{owner}",\n  "{theme.table}": [\n{listed}\n  ]\n}}'


def _xml(theme: Theme, rows: list[Row], dice: Dice) -> str:
    record = theme.record
    lines = [
        f'  <{record} id="{id_}">\n    <{theme.first}>{one}</{theme.first}>\n    <{theme.second}>{two}'
        f"</{theme.second}>\n    <{theme.number}>{figure}</{theme.number}>\n  </{record}>"
        for id_, one, two, figure in rows
    ]
    return (
        f'<?xml version="1.0"?>\n<{theme.table} source="{theme.owner}">\n'
        + "\n".join(lines)
        + f"\n</{theme.table}>"
    )


def _sql(theme: Theme, rows: list[Row], dice: Dice) -> str:
    values = ",\n".join(f"  ({id_}, '{one}', '{two}', {figure})" for id_, one, two, figure in rows)
    return (
        f"CREATE TABLE {theme.table} (\n  id INTEGER PRIMARY KEY,\n  {theme.first} TEXT NOT NULL,\n"
        f"  {theme.second} TEXT,\n  {theme.number} INTEGER\n);\nINSERT INTO {theme.table} VALUES\n{values};"
    )


_FUNCTIONS = (
    "def highest(rows):\n    return max(rows, key=lambda row: row[-1])\n\n\nprint(highest({table}))",
    "def average(rows):\n    return sum(row[-1] for row in rows) / len(rows)\n\n\nprint(average({table}))",
    "def by_number(rows):\n    return sorted(rows, key=lambda row: row[-1], reverse=True)\n\n\n"
    "for row in by_number({table}):\n    print(*row)",
    "def above(rows, limit):\n    return [row for row in rows if row[-1] > limit]\n\n\nprint(above({table}, {limit}))",
)


def _python(theme: Theme, rows: list[Row], dice: Dice) -> str:
    lines = "\n".join(f'    ({id_}, "{one}", "{two}", {figure}),' for id_, one, two, figure in rows)
    function = dice.pick(_FUNCTIONS).format(table=theme.table, limit=theme.low + theme.span // 2)
    columns = f"# columns: id, {theme.first}, {theme.second}, {theme.number}"
    return f"{columns}\n{theme.table} = [\n{lines}\n]\n\n\n{function}"


def _html(theme: Theme, rows: list[Row], dice: Dice) -> str:
    cells = "\n".join(
        f"      <tr><td>{id_}</td><td>{one}</td><td>{two}</td><td>{figure}</td></tr>"
        for id_, one, two, figure in rows
    )
    title = theme.table.capitalize()
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n  <head><title>{title}</title></head>\n  <body>\n'
        f"    <h1>{title} of {theme.owner}</h1>\n    <table>\n"
        f"      <tr><th>id</th><th>{theme.first}</th><th>{theme.second}</th><th>{theme.number}</th></tr>\n"
        f"{cells}\n    </table>\n  </body>\n</html>"
    )


_PIPES = (
    "sort -t, -k4,4nr | head -n 2",
    "awk -F, '{ total += $4 } END { print total }'",
    "awk -F, '$4 > LIMIT { print $2 }' | sort",
    "cut -d, -f2,4 | sort -t, -k2,2n",
)


def _shell(theme: Theme, rows: list[Row], dice: Dice) -> str:
    lines = " \\\n  ".join(f"'{id_},{one},{two},{figure}'" for id_, one, two, figure in rows)
    pipe = dice.pick(_PIPES).replace("LIMIT", str(theme.low + theme.span // 2))
    return f"# id,{theme.first},{theme.second},{theme.number}\nprintf '%s\\n' \\\n  {lines} \\\n  | {pipe}"


_RENDERERS: dict[str, Callable[[Theme, list[Row], Dice], str]] = {
    "JSON": _json,
    "XML": _xml,
    "SQL database": _sql,
    "HTML page": _html,
    "Python code": _python,
    "shell command": _shell,
}
