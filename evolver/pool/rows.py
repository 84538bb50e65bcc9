"""From a row of any shape to the texts of its seeds, and to what of it is not used."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evolver.pool.columns import Columns, Layout
from evolver.pool.details import details_of
from evolver.pool.dialogue import (
    LATER_TURNS,
    NO_INSTRUCTION,
    Dialogue,
    looks_like_turns,
    parse_template,
    take_apart,
    unfold,
)
from evolver.pool.dirt import join_input
from evolver.pool.reading import Reading
from evolver.pool.record import BadRowError

NOT_AN_OBJECT = "not an object"
NO_KNOWN_FIELDS = "no known fields"
NOT_TEXT = "not text"

SYSTEM = "system texts"
CONTEXT = "contexts"
EARLIER = "assistant turns before the first question"

MOST_COLUMNS = 100  # that are told of where none of them is known

_TEXT_COLUMNS = frozenset({"text", "content"})


@dataclass(frozen=True, slots=True)
class Draft:
    """The texts of one seed as a row gives them; nothing but their types is checked."""

    instruction: str
    response: str
    details: dict[str, object] | None = None


class Shaper:
    """Makes drafts of rows, and counts in ``unused`` what of them goes into none."""

    def __init__(self, how: Reading | None = None) -> None:
        self._how = how or Reading()
        self.columns = Columns(self._how.columns)
        self.unused: Counter[str] = Counter()

    def drafts(self, row: object) -> Iterator[Draft | BadRowError]:
        """Yield a draft for each seed that a row holds, or the reason why it holds none; at least one of them."""
        try:
            yield from self._drafts(row)
        except BadRowError as error:
            yield error

    def _drafts(self, row: object) -> Iterator[Draft | BadRowError]:
        if isinstance(row, str):
            row = _row_in_a_text(row)
        elif looks_like_turns(row):
            row = {"messages": row}
        if isinstance(row, BadRowError):
            raise row
        if not isinstance(row, dict):
            raise BadRowError(NOT_AN_OBJECT)
        layout = self.columns.layout(row)
        instances = _value(row, layout.columns, "instances")
        if isinstance(instances, list) and instances:
            yield from self._instances(row, layout, instances)
        else:
            yield from self._one(row, layout)

    def _instances(
        self, row: Mapping[str, Any], layout: Layout, instances: list[object]
    ) -> Iterator[Draft | BadRowError]:
        """Take a self-instruct task into one draft for each of its instances."""
        own = layout.columns["instances"]
        task = {key: value for key, value in row.items() if key != own}
        for one in instances:
            if isinstance(one, dict):
                yield from self.drafts({**one, **task})
            else:
                yield BadRowError(NOT_AN_OBJECT)

    def _one(self, row: Mapping[str, Any], layout: Layout) -> Iterator[Draft]:
        columns = layout.columns
        turns = self._turns(row, columns)
        if turns is not None:
            yield from self._of_dialogue(row, layout, turns)
            return
        if "instruction" not in columns:
            raise BadRowError(NO_INSTRUCTION if "turns" in columns else NO_KNOWN_FIELDS)
        instruction = _text(row[columns["instruction"]], "instruction")
        input_ = _text(_value(row, columns, "input"), "input")
        response = _response(_value(row, columns, "response"))
        if columns["instruction"].lower() in _TEXT_COLUMNS and not response:
            flat = parse_template(instruction)
            if flat is not None:
                instruction, input_, response, more = flat
                self.unused[LATER_TURNS] += more
        text = self._with_context(row, columns, join_input(instruction, input_), bool(input_.strip()))
        system = _value(row, columns, "system")
        yield self._draft(row, layout, text, response, system if isinstance(system, str) else "")

    def _turns(self, row: Mapping[str, Any], columns: Mapping[str, str]) -> object:
        """Return the turns of a row: its conversation, or a prompt and a completion that are lists of turns."""
        found = _value(row, columns, "turns")
        if found is not None and ("instruction" not in columns or "response" not in columns):
            return found
        prompt = _value(row, columns, "instruction")
        if isinstance(prompt, str) and prompt.startswith("[{"):
            prompt = unfold(prompt)
        if not isinstance(prompt, list) or not looks_like_turns(prompt):
            return None
        reply = unfold(_value(row, columns, "response"))
        if reply is None:
            return prompt
        return [*prompt, *(reply if isinstance(reply, list) else [{"role": "assistant", "content": reply}])]

    def _of_dialogue(self, row: Mapping[str, Any], layout: Layout, turns: object) -> Iterator[Draft]:
        dialogue = take_apart(turns)
        self.unused.update(dialogue.unused)
        system = _value(row, layout.columns, "system")
        if not dialogue.system and isinstance(system, str):
            dialogue.system = system
        exchanges = dialogue.exchanges if self._how.turns == "all" else dialogue.exchanges[:1]
        self.unused[LATER_TURNS] += len(dialogue.exchanges) - len(exchanges)
        for exchange in exchanges:
            said = dialogue.transcript(exchange) if self._how.turns == "all" else ""
            self.unused[EARLIER] += bool(exchange.before) and self._how.turns == "first"
            text = join_input(exchange.instruction, said) if exchange.instruction.strip() else ""
            yield self._draft(row, layout, text, exchange.response, dialogue.system)

    def _with_context(
        self, row: Mapping[str, Any], columns: Mapping[str, str], text: str, taken: bool
    ) -> str:
        """Join the context as an input where there is no other, or where that was asked for."""
        context = _value(row, columns, "context")
        if context is None:
            return text
        if isinstance(context, str) and (not taken or "context" in self._how.join):
            return join_input(text, context)
        self.unused[CONTEXT] += 1
        return text

    def _draft(self, row: Mapping[str, Any], layout: Layout, text: str, response: str, system: str) -> Draft:
        if system.strip():
            if "system" in self._how.join:
                text = f"{system}\n{text}"
            else:
                self.unused[SYSTEM] += 1
        return Draft(text, response, details_of(row, layout, self.unused))


def shape(row: object, given: Mapping[str, str]) -> str:
    """Name the shape of a row for the report; empty where it has none."""
    if not isinstance(row, dict):
        return "messages" if isinstance(row, list) else ""
    columns = Columns(given).layout(row).columns
    if "instances" in columns:
        return "self-instruct"
    name = (columns.get("turns", "") if "instruction" not in columns else columns["instruction"]).lower()
    return {"conversations": "ShareGPT", "problem": "problem and solution"}.get(name, name)


def part_name(row: object) -> str:
    """Return what one of several seeds of a row is called."""
    return "instance" if isinstance(row, dict) and "instances" in row else "turn"


def _value(row: Mapping[str, Any], columns: Mapping[str, str], field: str) -> Any:
    """Return a field's value; ``None`` where the row has none."""
    return row[columns[field]] if field in columns else None


def _row_in_a_text(text: str) -> object:
    """Return the row that a string holds as JSON; any other string is an instruction."""
    if text.lstrip().startswith("{"):
        row = unfold(text)
        if isinstance(row, dict):
            return row
    return {"instruction": text}


def _text(value: object, field: str) -> str:
    """Return a field's text; missing, null and NaN are empty, numbers what they say.

    Raises:
        BadRowError: It is a list or an object.
    """
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and (value != value or abs(value) == float("inf"))):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise BadRowError(f"{field} is {NOT_TEXT}")


def _response(value: object) -> str:
    """Return a response's text; of a list of one text that text, any other structure as JSON."""
    if isinstance(value, list | dict):
        if not value:
            return ""
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
            return value[0]
        if looks_like_turns(value):
            dialogue = Dialogue()
            return take_apart([{"role": "user", "content": ""}, *value]).exchanges[0].response or str(
                dialogue.system
            )
        return json.dumps(value, ensure_ascii=False)
    return _text(value, "response")
