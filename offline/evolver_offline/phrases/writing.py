"""Additions to requests for stories, letters, poems and other pieces; see ``prose`` for the notation."""

from __future__ import annotations

ADD_CONSTRAINTS = """
words :: Keep the piece under {high} words.
first sentence :: Let the first sentence contain no more than {few} words.
dialogue :: At least a third of the piece should be dialogue.
the words " :: Use the words "{oddword}" and "{oddword2}" naturally somewhere in the text.
present tense :: Write it in the present tense throughout.
first person :: Tell it in the first person, from the side of {role}.
adverb :: Do without adverbs that end in "-ly".
set in :: It should be set in {place}.
last line :: The last line must echo the first one.
paragraph :: Divide it into exactly {few} paragraphs.
smell :: Appeal to smell and hearing, not only to sight.
the word :: Build in the word "{oddword}" without drawing attention to it.
humour :: Keep the tone dry and gently humorous.
title :: Give it a title of at most four words.
should please :: It should please {audience}.
question mark :: Do not use a single question mark.
twist :: Include a small twist that was hinted at early on.
weather :: Let the weather play a part in it.
cliché :: Avoid stock phrases and clichés.
read aloud :: It should take about {minutes} minutes to read aloud.
refrain :: Repeat one short phrase three times, each time with a different meaning.
"""

DEEPEN = """
motive :: Let the reader understand the motive behind what happens.
what is lost :: Show what is lost as well as what is won.
inner conflict :: Give the central figure or voice an inner conflict that is not fully resolved.
earlier :: Hint at something that happened long before.
two readings :: Write it so that it allows two readings.
theme :: Let a second, quieter theme run beneath the main one.
other side :: Do justice to the other side as well.
consequence :: Follow one consequence further than the reader expects.
society :: Let it say something about the society around it.
memory :: Weave in a memory that changes how the present is seen.
cost :: Make clear what the choice costs.
contrast :: Work with a contrast between what is said and what is meant.
moral :: Leave the reader with a question instead of a moral.
relationship :: Bring out how the relationship between those involved changes.
"""

CONCRETIZE = """
object :: Let {object} play a part in it.
set in :: Let it be set in {place}, in {month}.
named :: Give the central role to {name}, {role}.
street :: Use the names of real-sounding streets, dishes and tools.
takes place :: All of it takes place on a single wet morning in {month}.
addressed to :: Imagine that it is addressed to {audience}.
occasion :: Let the occasion be the reopening of {organisation}.
hands :: Describe precisely what the hands are doing at one moment.
price :: Mention one exact price, one time of day and one distance.
overheard :: Include one sentence that could have been overheard in {place}.
colour :: Name one colour, one texture and one sound.
trade :: Use three words from the working language of {role}.
sign :: Quote the text of a sign or a note that matters in it.
"""

INCREASE_REASONING = """
plan :: Begin with a plan in {few} lines, and then write the piece according to it.
choice :: Let a choice between two goods stand in the middle, and make the reasons plain.
after the text :: After the text, explain in {few} sentences why you built it that way.
deduce :: Let the reader deduce one fact that is never stated.
logic :: Each paragraph should follow from the one before by a clear "because" or "therefore".
revise :: Write a first version, name its weakest point, and give the improved version.
clues :: Plant {few} clues that together explain the ending.
perspective :: Decide first which perspective serves it best, and say why in one sentence.
obstacle :: Let an obstacle be overcome in {few} steps that depend on one another.
timeline :: Work out the timeline first, so that the order of events holds up.
argument :: Let the argument advance in three steps: claim, doubt, answer.
alternatives :: Sketch two alternative endings, then choose one and justify it.
"""
