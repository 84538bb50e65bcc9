"""What answers are made of: openings, points, story sentences. Advice and method, never claims of fact.

``{a}`` and ``{b}`` stand for key terms of the instruction, in quotation marks where grammar needs it.
"""

from __future__ import annotations

OPENINGS = (
    'Everything here turns on "{a}", so that is where to begin.',
    'Two words carry the question: "{a}" and "{b}".',
    'A useful answer keeps "{a}" in view and treats "{b}" as its background.',
    'Let me take this in order, beginning with "{a}".',
    'The short answer depends on what is meant by "{a}"; the longer one follows.',
    'Before any detail, it helps to settle how "{a}" relates to "{b}".',
    'Here is a way to approach "{a}" that can be checked point by point.',
    'The question sounds simple, but "{a}" can be read in more than one way.',
    'To keep this practical, the points about "{a}" are put as things to do.',
    'Think of "{a}" as the aim and of "{b}" as the means.',
    'What matters most can be said first: decide what "{a}" should achieve.',
    'Opinions on "{a}" differ, so the outline below keeps to method.',
    'This outline begins with "{a}" and stays close to it.',
    'One can come at "{a}" from several sides; these seem the most helpful.',
    'Beginning with "{b}" would be tempting, but "{a}" comes first.',
    'In brief: define "{a}", narrow it down, and test the result on one case.',
    'For a first overview of "{a}", the following should do.',
    'Suppose a friend asked about "{a}" over coffee; this is what I would say.',
    'It pays to separate "{a}" from "{b}" at the outset.',
    'Any answer about "{a}" leaves something out; this one keeps to the outline.',
)
POINTS = (
    'Say in one sentence what "{a}" means here, and what it does not.',
    'Separate what belongs to "{a}" from what merely surrounds it.',
    'Collect two or three cases of "{a}" that clearly count, and one that is doubtful.',
    'Compare "{a}" with "{b}" on one criterion at a time.',
    'Ask who is affected by "{a}" and what they would notice first.',
    'Begin with the part of "{a}" that can be observed directly.',
    'Put the most important point about "{a}" first, and the rest in falling order.',
    'Look for the place where "{b}" limits what "{a}" can do.',
    'Write down what would show that the view taken of "{a}" is mistaken.',
    'Choose one everyday example of "{a}" and follow it to the end.',
    "Keep the number of points small enough to remember.",
    'Check each statement about "{b}" against a source before passing it on.',
    "Leave room for the exception that somebody is bound to mention.",
    'Connect "{a}" to something the reader knows already.',
    "Name the assumption that carries the most weight.",
    'Give "{b}" its own paragraph rather than a half-sentence.',
    "Prefer a modest claim that holds to a bold one that may not.",
    'Test the idea of "{a}" in a small case before relying on it.',
    'Note what changes for "{a}" over time, and what stays.',
    "Close with one sentence that could stand alone.",
    'Think about what happens to "{b}" if nothing is done.',
    'Turn the main point about "{a}" into a question the reader can answer.',
    "Weigh the effort of each step against what it brings.",
    "Mark what is known, what is likely, and what is a guess.",
)
HEADINGS = ("Aim", "Scope", "Method", "Example", "Limits", "Next step", "Check", "Audience")
CLOSINGS = (
    'If only one thing about "{a}" is remembered, let it be the first point.',
    'What is left out here, above all the details of "{b}", can be added once the outline holds.',
    "The last step is to read it once more with fresh eyes.",
    'With that, "{a}" is covered as far as a short answer can.',
    "Each point can be expanded on its own without changing the others.",
    'A second reader who knows "{b}" well should look over it before it is used.',
)
ONE_LINERS = (
    'In one line: settle what "{a}" means here, then judge everything else by it.',
    'Take "{a}" as the starting point, and add "{b}" only where it changes the result.',
    'It depends on how "{a}" is defined; with the usual meaning, begin there and stop at "{b}".',
    'My suggestion: one clear sentence on "{a}", one example, and one honest limit.',
)
LIST_ITEMS = (
    'Begin with the simplest form of "{a}" and write down what works.',
    'Ask two people who deal with "{b}" what they would do differently.',
    "Set aside a fixed half hour for it every week.",
    'Make a small sketch or table of "{a}" before deciding anything.',
    "Borrow before buying, and repair before replacing.",
    'Look at how others have handled "{a}", and note one thing not to copy.',
    'Combine "{a}" with something that has to be done anyway.',
    "Do the smallest useful part first.",
    'Keep a short record of each attempt at "{b}".',
    "Agree on a date for looking back at the results.",
    "Leave one item open for what nobody has thought of yet.",
    'Turn "{a}" into a game with one simple rule.',
    "Share the work so that everyone has a clear part.",
    "Write the plan on a single card and keep it in sight.",
)
REQUIREMENT_NOTES = (
    "kept in mind throughout",
    "taken into account above",
    "this shaped the order of the parts",
    "to be checked at the end, line by line",
    "met as far as an outline allows",
    "this is the part that needs most care",
    "noted, and first in line when this is revised",
)
STORY_BEGINNINGS = (
    '{name} had written "{a}" on the back of a bus ticket, and then lost the ticket.',
    'On the morning the fog came in, {name} was the only one in {place} who was thinking about "{a}".',
    'Nobody in {place} remembered who had first said "{a}" aloud.',
    '"It begins with {a}," said {name}, and put {object} on the table.',
    '{name} found {object} under the stairs, wrapped in a page on which only "{a}" could be read.',
    'There were three rules in the house, and the second one was about "{a}".',
    'The letter that reached {name} in {place} had no sender and a single underlined word: "{a}".',
)
STORY_MIDDLES = (
    'For a while, nothing happened. Then somebody asked about "{b}", and the room went quiet.',
    "The road was longer than it looked. {name} counted the gates and forgot the number at each one.",
    "What had seemed a small matter in the morning filled the whole house by noon.",
    '"You could have told me," said {name}. "I did," said the other, "but you were listening to the rain."',
    "It was {object} that settled it, lying where nobody had put it.",
    "They worked without talking, the way people do who have quarrelled and are no longer sure why.",
    'In the end it was not "{a}" that was difficult, but saying so.',
    "The shopkeeper shook her head, wrote down a name, and crossed it out again.",
)
STORY_ENDINGS = (
    "By evening the fog had gone, and the ticket lay on the step as if it had been waiting.",
    "{name} laughed then, for the first time that week, and closed the door softly.",
    'Years later they still said "{a}" to each other, and nobody else knew what it meant.',
    "The lamp was lit again. That was all, and it was enough.",
    "So {object} went back under the stairs, and {name} told no one.",
    "When the bus came, there were two people waiting for it.",
)
POEM_LINES = (
    "The morning lays its coat across the chair,",
    'and somebody says "{a}" to the air.',
    "A gate swings twice, the second time more slow;",
    'what "{b}" has promised, only hinges know.',
    "The kettle speaks before the house is awake,",
    "a boat draws its one sentence on the lake.",
    'I keep "{a}" in a folded hand,',
    "as children carry home a little sand.",
    "The field is counting crows and losing count;",
    "the well gives back a coin, a small amount.",
    "And when the lamp has nothing more to say,",
    "the window goes on reading anyway.",
)
JAPANESE_OPENINGS = (
    "「{a}」を中心に、順に整理します。",
    "まず「{a}」という言葉の意味を確かめておきます。",
    "結論から言うと、「{a}」をどう捉えるかで答えが変わります。",
    "ここでは「{a}」と「{b}」の二つに分けて考えます。",
    "はじめに全体の流れを示し、そのあと「{a}」を詳しく見ます。",
    "ご質問の要点は「{a}」にあると考えます。",
    "「{b}」を背景として、「{a}」について述べます。",
)
JAPANESE_POINTS = (
    "「{a}」の範囲を一文で決めます。",
    "身近な例を一つ選び、最後まで追います。",
    "「{b}」との違いを一つの基準で比べます。",
    "誰にどのような影響があるかを書き出します。",
    "確かなことと推測とを分けて示します。",
    "例外になりそうな場合を一つ挙げます。",
    "必要な時間と道具を確認します。",
    "前提が変わった場合の結果も考えます。",
    "小さく試してから全体に広げます。",
    "最後に、求められた条件を満たすかを点検します。",
)
JAPANESE_CLOSINGS = (
    "以上の順に進めれば、抜けを防ぐことができます。",
    "細かな点は、資料で確かめながら補ってください。",
    "必要に応じて、それぞれの項目を詳しくすることができます。",
)
CHINESE_OPENINGS = (
    "下面围绕“{a}”分几点说明。",
    "首先需要明确“{a}”的含义。",
    "可以从“{a}”和“{b}”两个方面来看。",
    "先给出思路，再回到“{a}”本身。",
)
CHINESE_POINTS = (
    "用一句话界定“{a}”的范围。",
    "选一个身边的例子并贯穿始终。",
    "按同一标准比较“{a}”与“{b}”。",
    "区分已知的事实与推测。",
    "指出一种例外情况。",
    "先小范围尝试，再逐步推广。",
    "最后逐条核对要求是否满足。",
)
REFUSALS = (
    "Sorry, I work with text only and cannot {what}.",
    "I'm sorry, but I cannot {what}; I can describe in words how one would go about it.",
    "Sorry, that is beyond a text model: I have no way to {what}.",
    "I am sorry. As a model that only writes text, I cannot {what}.",
)
JAPANESE_REFUSALS = (
    "Sorry, 申し訳ありませんが、文章だけを扱うモデルなので対応できません。",
    "申し訳ありません (sorry)。このモデルにできるのは文章を書くことだけです。",
)
