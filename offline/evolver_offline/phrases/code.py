"""Additions to programming tasks; see ``prose`` for the notation."""

from __future__ import annotations

ADD_CONSTRAINTS = """
empty input :: Handle empty input without raising an error.
standard library :: Use nothing but the standard library.
type hint :: Annotate all parameters and return values with types where the language allows it.
linear time :: It must run in linear time in the size of the input.
invalid :: Report invalid input with a message that names the offending value.
in place :: Do not modify the input; return a new value.
unit test :: Include at least {few} unit tests, one of them for an edge case.
recursion :: Do not use recursion.
comment :: Comment only what the code itself cannot say.
memory :: Keep the additional memory constant.
unicode :: Make sure that it works for text in any script, not only ASCII.
lines :: The core of the solution must not exceed {short} lines.
log :: Log each decision at debug level.
duplicate :: Treat duplicates explicitly and document the choice.
command line :: Make it usable from the command line with a --help option.
negative :: Negative and zero values have to be handled as well.
configur :: Make the limits configurable by parameters with sensible defaults.
naming :: Use descriptive names; single letters are allowed only for loop counters.
immutable :: Use immutable data structures wherever possible.
docstring :: Document usage, errors and one example next to the code.
idempotent :: Running it twice must give the same result as running it once.
time zone :: Dates, where they occur, are to be stored with their time zone.
magic number :: Replace every magic number by a named constant.
exit code :: Signal failure by a non-zero exit code or a specific error type.
thread :: It must be safe to call from several threads at once.
streaming :: Process the input as a stream, as it may not fit into memory.
"""

DEEPEN = """
complexity :: Discuss the time and space complexity of your solution.
trade-off :: Explain the trade-off between readability and speed that you made.
alternative :: Compare it with an alternative approach and say when you would choose that one.
maintain :: Explain what somebody who maintains this code in two years needs to know.
fail :: Describe how the solution can fail in production and how one would notice.
security :: Discuss the security implications, including hostile input.
scale :: Explain what would have to change for a million records.
test strategy :: Outline a test strategy beyond the obvious cases.
invariant :: State the invariant that makes the solution correct.
language feature :: Explain which language feature matters most here and why.
concurrent :: Discuss what happens when two callers use it concurrently.
memory :: Examine how memory use grows with the input.
api :: Discuss how you would offer this as a small, stable API.
older version :: Say what would differ in an older version of the language.
history :: Mention how this problem used to be solved, and what is better now.
worst case :: Construct the worst case for your solution.
error message :: Discuss what a good error message would look like here.
"""

CONCRETIZE = """
orders :: Assume the input holds the {count} orders of {organisation}.
sensor :: Let the data be temperature readings taken every {minutes} minutes.
log file :: Take the lines of a web server's log file as the data.
usernames :: Use a list of {count} user names, some of which differ only in case, as the example.
inventory :: Frame it as part of an inventory program for {organisation}.
sample :: Show a sample run with exactly {few} inputs and their outputs.
called :: The entry point should be called "{identifier}" and accept one argument.
exact output :: Specify the exact output, including spaces and line ends.
timetable :: Apply it to a bus timetable with {count} departures.
grades :: Demonstrate it on the grades of {count} pupils.
ledger :: Let the records be entries of a ledger with date, amount and note.
version :: Name the language version you assume and use one feature it introduced.
bookings :: Let it serve the bookings of {organisation}.
limit of :: Set the limit of accepted items to {count}, and reject the rest with a clear message.
library loans :: Take library loans, each with a title, a reader and a due date, as the data.
csv :: The values arrive in a CSV file with the columns id, label and value.
"""

INCREASE_REASONING = """
before coding :: Before coding, describe the algorithm in {few} numbered steps.
prove :: Argue briefly why the solution terminates and is correct.
trace :: Trace the execution by hand for a small input, step by step.
brute :: Start from the brute-force solution and improve it in {few} steps.
edge case :: List the edge cases first, and show where each of them is handled.
precondition :: State the preconditions and postconditions of every function.
two approaches :: Implement two approaches, then reason which of them is better here.
decompose :: Decompose the problem into at least {few} functions and justify the split.
debug :: Explain how you would find the fault if the last test failed.
invariant :: Give the loop invariant and show that each pass keeps it.
data structure :: Choose the data structure by comparing at least {few} candidates.
order of :: Explain why the order of the operations matters.
combine :: Combine the result with a second pass that verifies it.
estimate :: Estimate the number of operations for {count} items before you write the code.
what if :: Consider what would change if the input were sorted, and use it where possible.
"""

COMPLEXITY = """
{count} million :: It has to cope with {count} million items within a few seconds.
o(n log n) :: The solution must run in O(n log n) time or better; show why it does.
constant extra :: Only constant extra space is allowed, apart from the output.
online :: Items arrive one at a time, and the result must be available after each of them.
range quer :: Answer {count} range queries on the same data efficiently.
memory limit :: Stay within a memory limit of 64 MB, whatever the size of the input.
updates :: The data changes between queries, so updates have to take logarithmic time.
parallel :: Split the work over {few} workers and merge their results correctly.
k best :: Return the k best results rather than one, without sorting everything.
external :: The data lies on disk and can be read only once, from front to back.
overlap :: Avoid computing overlapping subproblems more than once.
sliding window :: Do it for every sliding window of {count} items, not only for the whole input.
"""

MISDIRECTION_LEADS = (
    "The attempt below looks plausible but is wrong; do not rely on it:",
    "A colleague proposes the following code, which contains a mistake; find it before you write your own:",
    "As a reference, here is an erroneous version whose fault should not reappear in your solution:",
    "Note that this earlier draft fails on some inputs; explain why and avoid the fault:",
    "The following sketch was rejected in review; your solution must not share its error:",
    "Beware of this flawed starting point, and say what is wrong with it:",
)
MISDIRECTION_CODE = (
    """def solve(items):
    for i in range(1, len(items)):
        total += items[i]
    return total""",
    """def solve(items, found=[]):
    for item in items:
        if item not in found:
            found.append(item)
    return found""",
    """def solve(values):
    for value in values:
        if value < 0:
            values.remove(value)
    return values""",
    """def solve(text):
    words = text.split(" ")
    return len(words) / sum(len(word) for word in words)""",
    """def solve(numbers):
    best = 0
    for number in numbers:
        if number > best:
            best = number
    return best""",
    """def solve(n):
    if n == 1:
        return 1
    return n * solve(n - 2)""",
    """def solve(low, high, target):
    while low < high:
        middle = (low + high) // 2
        if middle < target:
            low = middle
        else:
            high = middle
    return low""",
    """def solve(rows):
    result = [[0] * 3] * len(rows)
    for i, row in enumerate(rows):
        result[i][0] = row
    return result""",
    """def solve(a, b):
    if a is b:
        return True
    return False""",
    """def solve(records):
    try:
        return max(record['amount'] for record in records)
    except:
        return None""",
    """def solve(path):
    file = open(path)
    return [line for line in file.read()]""",
    """def solve(price, count):
    return round(price * count * 1.1) == price * count * 1.1""",
)
