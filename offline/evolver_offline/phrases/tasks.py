"""Additions to tasks with a given text or figures: sorting, editing, translating, calculating, tables.

See ``prose`` for the notation.
"""

from __future__ import annotations

ADD_CONSTRAINTS = """
one line :: Give the result on one line first, and the explanation below it.
table :: Present the result as a table with a column for the reason.
words :: Explain the result in no more than {low} words.
confidence :: Add how sure you are, as low, medium or high.
unclear :: If anything in the input is unclear, say so in place of guessing.
original order :: Keep the original order of the material.
json :: Return the result as a JSON object with the keys "result" and "reason".
proper names :: Leave proper names and numbers exactly as they are.
use it at once :: Phrase the result so that {audience} can use it at once.
nothing else :: State the result, one reason, and nothing else.
two decimal :: Give every figure you mention to two decimal places.
list of changes :: Add a list of what you decided and why.
alternative :: Offer exactly one alternative and say when it would be better.
borderline :: Point out one borderline case and how you settle it.
british spelling :: Use British spelling throughout.
quote :: Quote the words of the input on which the result rests.
check :: Close with a short check that the result meets what was asked.
numbered :: Number the parts of the answer.
"""

DEEPEN = """
rule behind :: Explain the rule behind the result so that it can be applied elsewhere.
context :: Discuss how the result would change in another context, such as {place}.
common mistake :: Name the mistake most people would make here, and why.
ambigu :: Examine what is ambiguous in the input and how much it matters.
tone :: Comment on what the choice does to tone and emphasis.
limits :: Say where the method you used reaches its limits.
compare :: Compare your result with the next-best one.
generalise :: Show how the method carries over to ten thousand such cases.
origin :: Say something about where the distinction you draw comes from.
missing :: Say which information is missing that would settle the matter.
opposite :: Describe an input for which the opposite result would be right.
two experts :: Explain how two experts could disagree here in good faith.
sensitive :: Find out which part of the input the result is most sensitive to.
"""

CONCRETIZE = """
suppose :: Suppose the result is needed by {role} within {duration}.
used in :: Adapt the result to its use in {organisation}.
further example :: Add one further example of the same kind, taken from {place}.
reader :: Assume that the reader is {name}, {role}.
name the exact :: Name the exact words or values that decide the matter.
counterexample :: Give one counterexample from daily life.
printed :: The result will be printed on a single card for {audience}, so word it accordingly.
situation :: Describe one situation in {month} in which the result would be put to use.
apply :: Apply the same treatment to one more case of your own about {object}.
term :: Replace each general term in your explanation by the specific one.
"""

INCREASE_REASONING = """
step by step :: Work step by step and show the result of each step.
two ways :: Arrive at the result in two ways, and say whether they agree.
first list :: First list what is given, then what is asked, then the rule that connects them.
rule out :: Rule out at least {few} other results, each with a reason.
verify :: Verify the result by working backwards.
criteria :: State your criteria before you look at the input, then apply them in order.
intermediate :: Show every intermediate result, even the obvious ones.
assumption :: Name each assumption at the step where you make it.
if one part :: Say how the result changes if one part of the input is left out.
justify :: Justify each decision in a separate sentence.
estimate :: Estimate the result first, then compare the estimate with the exact answer.
hardest :: Say which step is the hardest and why.
split :: Split the task into {few} smaller tasks and solve them in order.
"""
