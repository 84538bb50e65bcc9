"""Code for answers: small programs that do what they say, and sketches where none is known."""

from __future__ import annotations

from keyword import iskeyword
from typing import NamedTuple

from evolver_offline.dice import Dice
from evolver_offline.subject import Subject
from evolver_offline.terms import key_terms


class Program(NamedTuple):
    """A tested Python program, the words that call for it (the first and the last of one entry), and a note on it."""

    cues: tuple[tuple[str, ...], ...]
    code: str
    note: str


PROGRAMS = (
    Program(
        (("prime",),),
        """def is_prime(number: int) -> bool:
    if number < 2:
        return False
    divisor = 2
    while divisor * divisor <= number:
        if number % divisor == 0:
            return False
        divisor += 1
    return True""",
        "Only divisors up to the square root are tried, since a larger one would have a smaller partner.",
    ),
    Program(
        (("factorial",),),
        """def factorial(number: int) -> int:
    if number < 0:
        raise ValueError(f"no factorial of {number}")
    product = 1
    for factor in range(2, number + 1):
        product *= factor
    return product""",
        "A loop avoids the recursion limit; 0 and 1 both give 1.",
    ),
    Program(
        (("fibonacci",),),
        """def fibonacci(count: int) -> list[int]:
    numbers = []
    current, following = 0, 1
    for _ in range(count):
        numbers.append(current)
        current, following = following, current + following
    return numbers""",
        "Each number is the sum of the two before it; nothing but those two has to be kept.",
    ),
    Program(
        (("palindrome",),),
        """def is_palindrome(text: str) -> bool:
    letters = [sign.casefold() for sign in text if sign.isalnum()]
    return letters == letters[::-1]""",
        "Case, spaces and punctuation are ignored; leave out the filter if they should count.",
    ),
    Program(
        (("reverse", "string"), ("reverse", "text"), ("reverse", "word")),
        """def reverse(text: str) -> str:
    return text[::-1]""",
        "The slice walks from the end to the beginning; the original text stays as it is.",
    ),
    Program(
        (("duplicate",),),
        """def without_duplicates(items: list) -> list:
    return list(dict.fromkeys(items))""",
        "A dict keeps its keys once and in the order of their first appearance.",
    ),
    Program(
        (("anagram",),),
        """def are_anagrams(first: str, second: str) -> bool:
    return sorted(first.casefold()) == sorted(second.casefold())""",
        "Two words are anagrams when their sorted letters agree.",
    ),
    Program(
        (("binary search",),),
        """def binary_search(items: list, target) -> int:
    low, high = 0, len(items)
    while low < high:
        middle = (low + high) // 2
        if items[middle] < target:
            low = middle + 1
        else:
            high = middle
    return low if low < len(items) and items[low] == target else -1""",
        "The range halves with every comparison; the list has to be sorted.",
    ),
    Program(
        (("sort",),),
        """def merge_sort(items: list) -> list:
    if len(items) < 2:
        return list(items)
    middle = len(items) // 2
    left, right = merge_sort(items[:middle]), merge_sort(items[middle:])
    merged = []
    while left and right:
        merged.append(left.pop(0) if left[0] <= right[0] else right.pop(0))
    return merged + left + right""",
        "Equal items keep their order; in daily work, the built-in sorted() does the same faster.",
    ),
    Program(
        (("average",), ("mean",)),
        """def average(numbers: list[float]) -> float:
    if not numbers:
        raise ValueError("the average of nothing is undefined")
    return sum(numbers) / len(numbers)""",
        "An empty list is refused rather than answered with a misleading zero.",
    ),
    Program(
        (("count", "word"), ("frequency",), ("frequencies",), ("occurrence",)),
        """from collections import Counter


def word_counts(text: str) -> Counter:
    return Counter(text.casefold().split())""",
        "Counter.most_common(n) then gives the n most frequent words.",
    ),
    Program(
        (("vowel",),),
        """def count_vowels(text: str) -> int:
    return sum(sign in "aeiou" for sign in text.casefold())""",
        "True counts as 1, so the sum is the number of vowels.",
    ),
    Program(
        (("maximum",), ("largest",), ("highest",), ("greatest",)),
        """def largest(numbers: list[float]) -> float:
    best = numbers[0]
    for number in numbers[1:]:
        if number > best:
            best = number
    return best""",
        "Starting from the first number, and not from 0, keeps it right for negative ones.",
    ),
    Program(
        (("minimum",), ("smallest",), ("lowest",)),
        """def smallest(numbers: list[float]) -> float:
    best = numbers[0]
    for number in numbers[1:]:
        if number < best:
            best = number
    return best""",
        "One pass is enough; an empty list raises an IndexError.",
    ),
    Program(
        (("even",), ("odd number",)),
        """def evens_and_odds(numbers: list[int]) -> tuple[list[int], list[int]]:
    evens = [number for number in numbers if number % 2 == 0]
    odds = [number for number in numbers if number % 2]
    return evens, odds""",
        "The remainder of a division by two decides.",
    ),
    Program(
        (("bracket",), ("parenthes",)),
        """def balanced(text: str) -> bool:
    pairs = {")": "(", "]": "[", "}": "{"}
    opened = []
    for sign in text:
        if sign in pairs.values():
            opened.append(sign)
        elif sign in pairs and (not opened or opened.pop() != pairs[sign]):
            return False
    return not opened""",
        "The stack holds what is still open, the innermost last.",
    ),
    Program(
        (("random number",), ("random integer",), ("password",)),
        """import secrets
import string


def random_text(length: int = 16) -> str:
    signs = string.ascii_letters + string.digits
    return "".join(secrets.choice(signs) for _ in range(length))""",
        "The secrets module is meant for this; the random module is predictable.",
    ),
    Program(
        (("csv",),),
        """import csv


def read_rows(path: str) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))""",
        "DictReader takes the column names from the first line.",
    ),
    Program(
        (("sum of",), ("add two",), ("total of",), ("sum",)),
        """def total(numbers: list[float]) -> float:
    result = 0.0
    for number in numbers:
        result += number
    return result""",
        "The built-in sum() is the same in one word; math.fsum() is the more exact for floats.",
    ),
)

_SKETCHES = (
    """def {name}(items):
    results = []
    for position, item in enumerate(items):
        if item is None:
            raise ValueError(f"item {{position}} is missing")
        results.append(item)  # the rule of the task goes here
    return results""",
    """def {name}(records):
    kept = [record for record in records if record]
    return sorted(kept, key=str)  # replace str by what the task orders by""",
    """from dataclasses import dataclass, field


@dataclass
class {Name}:
    entries: list = field(default_factory=list)

    def add(self, entry) -> None:
        self.entries.append(entry)

    def report(self) -> str:
        return "\\n".join(map(str, self.entries))""",
    """def {name}(text):
    parts = text.split()
    if not parts:
        return ""
    return " ".join(parts)  # the transformation asked for goes here""",
    """def {name}(value, *, limit=100):
    if not 0 <= value <= limit:
        raise ValueError(f"{{value}} is outside 0 to {{limit}}")
    return value""",
    """from collections import defaultdict


def {name}(pairs):
    groups = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return dict(groups)""",
)
_SQL = (
    """SELECT {one}, COUNT(*) AS entries
FROM {two}
GROUP BY {one}
ORDER BY entries DESC;""",
    """SELECT *
FROM {two}
WHERE {one} IS NOT NULL
ORDER BY {one}
LIMIT 20;""",
)
_HTML = (
    """<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>{One}</title>
  </head>
  <body>
    <main>
      <h1>{One}</h1>
      <p class="{two}">Text goes here.</p>
    </main>
  </body>
</html>""",
    """<section class="{one}">
  <h2>{One}</h2>
  <ul>
    <li>First entry</li>
    <li>Second entry</li>
  </ul>
</section>""",
)
_CSS = (
    """.{one} {{
  max-width: 40rem;
  margin: 0 auto;
  padding: 1rem;
}}

.{one} .{two} {{
  font-weight: 600;
}}""",
)
_SHELL = (
    """set -eu
for file in ./*; do
  [ -f "$file" ] || continue
  printf '%s\\n' "$file"  # {one}
done""",
    """find . -type f -name "*{one}*" -print0 | xargs -0 -r ls -l""",
)
_JAVASCRIPT = (
    """function {name}(items) {{
  if (!Array.isArray(items)) {{
    throw new TypeError('a list is needed');
  }}
  return items.filter((item) => item !== null);
}}""",
    """const {name} = (text) => {{
  const parts = text.trim().split(/\\s+/);
  return parts.join(' ');
}};""",
)
_LANGUAGES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("sql", "sql", _SQL),
    ("html", "html", _HTML),
    ("css", "css", _CSS),
    ("bash", "sh", _SHELL),
    ("shell", "sh", _SHELL),
    ("linux", "sh", _SHELL),
    ("javascript", "javascript", _JAVASCRIPT),
    ("jquery", "javascript", _JAVASCRIPT),
    ("react", "javascript", _JAVASCRIPT),
)


def program_for(lowered: str) -> Program | None:
    """The program an instruction calls for, if it is one of those at hand."""
    for program in PROGRAMS:
        for cues in program.cues:
            if cues[0] in lowered and cues[-1] in lowered:
                return program
    return None


def sketch(subject: Subject, dice: Dice) -> str:
    """A Python skeleton named after the instruction; always compiles."""
    one, two = _names(subject)
    name = f"{one}_{two}"
    return dice.pick(_SKETCHES).format(name=name, Name=one.title() + two.title())


def foreign_sketch(subject: Subject, dice: Dice) -> tuple[str, str] | None:
    """A skeleton in another language and that language's name, where the instruction names one at hand."""
    opening = subject.opening.lower()
    for cue, language, sketches in _LANGUAGES:
        if cue in opening:
            one, two = _names(subject)
            code = dice.pick(sketches).format(one=one, two=two, One=one.title(), name=one + two.title())
            return language, code
    return None


def _names(subject: Subject) -> tuple[str, str]:
    terms = [term.lower() for term in key_terms(subject)]
    names = [term for term in terms if term.isascii() and term.isalpha() and not iskeyword(term)]
    return (*names, "entry", "list")[0], (*names[1:], "list", "value")[0]
