"""Additions to requests for articles, letters, speeches, recipes and the like; see ``prose`` for the notation."""

from __future__ import annotations

ADD_CONSTRAINTS = """
words :: Keep it between {low} and {high} words.
paragraph :: Divide it into exactly {few} short paragraphs.
opening sentence :: The opening sentence must not exceed {short} words.
second person :: Address the reader directly, in the second person.
jargon :: Avoid jargon, or explain it in passing.
heading :: Add a heading of at most six words.
superlative :: Use no superlatives and no exclamation marks.
last sentence :: The last sentence should say what to do next.
read aloud :: It should take no more than {minutes} minutes to read aloud.
make sense to :: It must also make sense to {audience}.
without naming :: Do it without naming any brand or company.
contraction :: Do not use contractions.
closing line :: Give it a closing line that takes up the opening.
numbers in words :: Write all numbers below thirteen in words.
one example :: Include exactly one example from daily life.
the words " :: Use the words "{oddword}" and "{oddword2}" naturally somewhere in the text.
british spelling :: Use British spelling.
small screen :: Keep every paragraph short enough for a small screen.
"""

DEEPEN = """
objection :: Take up the strongest objection and answer it.
background :: Sketch the background that the reader needs to judge it.
who gains :: Make clear who gains from it and who bears the cost.
long run :: Say what follows from it in the long run.
trade-off :: Name the trade-off behind it openly.
another view :: Do justice to another view before you settle on yours.
overlooked :: Bring out one aspect that is usually overlooked.
limits :: Admit the limits of what is said.
why it matters :: Say why it matters to {audience}.
small and large :: Connect a small observation with a larger question.
changed :: Show what has changed over the years, and what has not.
experience :: Include the experience of {role} as a second voice.
"""

CONCRETIZE = """
the case :: Build it around the case of {organisation}.
set it in :: Set it in {place}, in {month}.
addressed :: Imagine that it is addressed to {audience}.
occasion :: Let the reopening of {organisation} be the occasion.
quantities :: Give exact quantities, times and places instead of general terms.
quote :: Quote one sentence that {role} might say.
name the tools :: Name the tools, materials or dishes that are meant.
first-hand :: Add one first-hand observation that could be checked.
ordinary day :: Tie it to a moment in the ordinary day of {role}.
published in :: Imagine that it will be published in the newsletter of {organisation}.
signed by :: Let it be signed by {name}, {role}.
"""

INCREASE_REASONING = """
plan :: Begin with a plan in {few} lines, and then write the text according to it.
follow from :: Let each paragraph follow from the one before by a clear "because" or "therefore".
afterwards :: Explain afterwards, in {few} sentences, why you arranged it that way.
weakest :: Write a first version, name its weakest point, and give the improved version.
claim, doubt :: Let the argument advance in three steps: claim, doubt, answer.
purpose :: State the purpose first and check at the end whether each part serves it.
alternatives :: Sketch two alternative openings, then choose one and justify it.
cause and effect :: Make the chain of cause and effect plain at every step.
criteria :: Set up {few} criteria for a good text of this kind and show that yours meets them.
order of :: Give a reason for the order of the parts.
evidence :: For every claim, say what evidence would support it.
"""
