"""Additions to questions, lists and requests in general.

One addition a line: ``tell :: sentence``. A sentence is not added to an instruction in which its tell stands
already, so that two word limits never meet. Slots in braces are filled from ``evolver_offline.words``.
"""

from __future__ import annotations

ADD_CONSTRAINTS = """
words :: Keep the answer between {low} and {high} words.
words :: Use no more than {high} words in all.
sentence :: Let no sentence run longer than {short} words.
jargon :: Avoid jargon, or explain each technical term where it first appears.
written for :: The answer should be written for {audience}.
bullet :: Present the main points as {few} bullet points and close with one plain sentence.
heading :: Divide the answer under {few} short headings.
metaphor :: Use no metaphors and no rhetorical questions.
budget :: Everything proposed must fit a budget of {budget}.
counter :: Include one counter-argument and answer it fairly.
without naming :: Do it without naming any brand, company or living person.
adjective :: Leave out adjectives that only praise.
sources :: Say for each claim what kind of source could confirm it.
most to the least :: Order the points from the most to the least important.
summary :: Finish with a summary of exactly one sentence.
make sense to :: It must also make sense to {audience}.
time limit :: Nothing in the answer may take longer than {duration} to carry out.
example for :: Give one everyday example for each point.
misunderstanding :: Name one common misunderstanding and correct it.
second person :: Address the reader in the second person throughout.
table :: Put the essentials into a table of {few} rows before the explanation.
uncertain :: Mark clearly which parts are well established and which are uncertain.
at least one exception :: Mention at least one exception to what you say.
season :: Take into account how the answer changes with the season.
beginner :: Keep it usable for a beginner who has no special equipment.
present tense :: Write in the present tense and the active voice only.
abbreviation :: Spell out every abbreviation.
different continents :: Draw your examples from at least two different continents.
costs nothing :: At least one of the points must be something that costs nothing.
numbered :: Number the points, so that they can be referred to later.
rank :: Rank what you name and state the criterion you rank by.
begin with :: Begin with the answer itself, and give the reasons afterwards.
"""

DEEPEN = """
long run :: Go on to the effects that show only in the long run.
who gains :: Discuss who gains from it and who bears the cost.
historical :: Add the historical background that made it so.
trade-off :: Examine the most important trade-off behind it.
disagree :: Say where experts disagree, and on what grounds.
underlying :: Look into the underlying cause, not only the visible signs.
different region :: Consider how the answer would differ in {place}.
opposite :: Consider the strongest case for the opposite view as well.
ethical :: Bring in the ethical questions that it raises.
limits of :: Discuss the limits of your own answer and when it no longer holds.
twenty years :: Compare the situation today with that of twenty years ago.
small and large :: Show how it plays out on a small scale and on a large one.
side effect :: Take up one side effect that is usually overlooked.
assumption :: Make the assumptions behind the question explicit and test one of them.
interact :: Explain how the main factors interact rather than listing them one by one.
measure :: Discuss how one could measure whether the answer is right.
second-order :: Include at least one second-order consequence.
point of view :: Treat it from the point of view of {role} as well.
fails :: Analyse a case in which the usual advice fails, and why.
neighbouring field :: Connect it to an idea from a neighbouring field.
most depends :: Find out which single factor the outcome most depends on, and defend your choice.
alternatives :: Weigh it against {few} realistic alternatives.
under pressure :: Explain what changes when time or money is short.
why it matters :: Say why it matters to {audience}.
open question :: End with the open question that you would study next.
cultural :: Consider how cultural habits shape the answer.
evidence :: Distinguish what the evidence shows from what is merely plausible.
feedback :: Trace one feedback loop that makes the effect stronger or weaker.
"""

CONCRETIZE = """
specifically :: Answer it specifically for {audience} in {place}.
take the case :: Take the case of {organisation} and stay with it throughout.
name the exact :: Name the exact tools, quantities or steps in place of general terms.
named place :: Use {place} as the setting for every example.
rough figures :: Replace words such as "many" or "often" by rough figures, and say how you estimate them.
ordinary day :: Tie each point to a moment in the ordinary day of {role}.
one week :: Plan it for a single week in {month}, day by day.
suppose that :: Suppose that {role} has {duration} and {budget} to act on it.
case of :: Illustrate the answer with the case of {organisation}.
concrete object :: Refer to one concrete object that the reader could pick up and look at.
situation :: Assume this situation: {organisation} has to decide by the end of {month}.
dialogue :: Include a short dialogue between {role} and a sceptical colleague.
checklist :: Turn the general advice into a checklist that {role} can tick off.
from start to finish :: Follow one single example from start to finish.
narrow :: Narrow the subject to what concerns {audience}.
weather :: Set it on a wet day in {month}, and let that matter.
who does what :: State who does what, when, and with which tool.
instead of people in general :: Speak of {audience} instead of people in general.
before and after :: Describe one case before and after, in measurable terms.
smallest :: Give the smallest version of the idea that would still work in {place}.
local :: Mention the local conditions of {place} where they change the answer.
each general :: Replace each general statement by an instance that one could observe.
tried once :: Write it for {name}, {role} who has tried once before and given up.
exact wording :: Quote the exact wording that {role} might use.
"""

INCREASE_REASONING = """
step by step :: Reason step by step, and state what each step rests on.
rule out :: Consider {few} candidate answers first, and rule out the weaker ones with reasons.
if and only :: Explain under which conditions the answer would turn into its opposite.
intermediate :: Show the intermediate conclusions before the final one.
criteria :: Set up your criteria first, then apply them one after the other.
which evidence :: After each step, say which evidence would change your mind.
two ways :: Reach the conclusion in two ways and compare them.
cause and effect :: Lay out the chain of cause and effect, link by link.
first decide :: First decide what has to be known, then what may be assumed, then conclude.
check :: Check the conclusion against one awkward case before you state it.
weigh :: Give each argument a weight from 1 to 5 and explain how the weights lead to the result.
break the :: Break the question into {few} smaller ones and answer them in order.
estimate :: Begin with a rough estimate and refine it in {few} steps.
contradict :: Name two considerations that contradict each other and settle the conflict.
backwards :: Work backwards from the desired outcome to the first thing to do.
what if :: Answer as well what would follow if the main assumption were wrong.
prerequisite :: Order the steps so that each one uses only what came before.
compare at least :: Compare at least {few} options on the same criteria before choosing.
missing information :: Say which information is missing and how you proceed without it.
weakest :: Point out the weakest link in your own reasoning.
decision tree :: Sketch the decision as a tree in words, with a reason at each fork.
justify :: Justify each choice in one sentence before moving on.
simplest explanation :: Start from the simplest explanation and say what forces you to go beyond it.
analogy :: Use an analogy, then say exactly where it breaks down.
confidence :: State how confident you are in each step and why.
"""
