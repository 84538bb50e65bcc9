"""Patterns of new instructions, and what fills them; see ``phrases.prose`` for the notation (no tells here)."""

from __future__ import annotations

QUESTIONS = """
Explain {topic} to {audience}.
What can {role} learn from {topic}?
Describe three lesser-known facts worth checking about {topic}, and how one would check them.
How would you introduce {topic} to {audience}?
Compare two ways of looking at {topic}: that of {role} and that of {audience}.
Which misunderstandings about {topic} are the most common, and where do they come from?
Suggest {few} questions that an exhibition about {topic} should answer.
Draw up a reading plan of {few} steps for someone who wants to understand {topic}.
Why does {topic} deserve more attention than it gets?
List {few} practical difficulties that {topic} may involve in {place}.
Discuss what {place} could gain from an interest in {topic}.
Outline a short talk on {topic} for {audience}.
Name {few} objects that say much about {topic}, with a sentence on each.
What would change for {role} if {topic} became a matter of daily life?
Propose a small experiment or survey on {topic} that {organisation} could carry out.
Give {few} reasons for and {few} against a local museum about {topic}.
Recommend how {organisation} could spend {budget} on a project about {topic}.
What should one know about {topic} before visiting {place}?
Evaluate how well {topic} would serve as the subject of a school project week.
Plan an evening about {topic} for {audience}.
"""
WRITING = """
Write a short story about {topic}, set in {place}.
Write a letter from {name}, {role}, about {topic}.
Compose a poem of {few} stanzas about {topic}.
Draft a radio feature on {topic} for {audience}.
Write a dialogue between {role} and {name} about {topic}.
Write a blog post in which {role} discovers {topic}.
Write a speech that opens an exhibition about {topic} in {place}.
Compose a diary entry by {name}, who has just heard of {topic}.
Write a newspaper notice about {topic} for {audience}.
Write an essay on what one can learn about patience from {topic}.
Draft an e-mail in which {organisation} announces an evening about {topic}.
Write a fable about {topic} in which {object} plays a part.
Write the opening scene of a stage play about {topic}, set in {place} in {month}.
Compose a travel sketch of {place} that leads the reader to {topic}.
Write a slogan and a short paragraph for a campaign about {topic}.
"""
CODE = """
Write a {language} function that {task}.
In {language}, implement a function that {task}, and test it with {few} inputs.
Write a small {language} module that {task}, for use by {organisation}.
Design a {language} class that {task}, without any third-party package.
Create a {language} command-line program that {task}.
Write a {language} function that {task}. The input can hold up to {count} items.
Write {language} code that {task}, and explain its time complexity.
Refactor an imagined {language} script that {task} into {few} small functions.
"""
CODE_SLOTS = {
    "language": (
        "Python",
        "Python",
        "Python",
        "JavaScript",
        "TypeScript",
        "PHP",
        "Rust",
        "Java",
        "Ruby",
        "Kotlin",
    ),
    "task": (
        "finds the longest run of equal values in a list",
        "merges overlapping time slots of room bookings",
        "converts Roman numerals from 1 to 3999 into numbers",
        "finds the first gap in a list of invoice numbers",
        "groups words that are anagrams of one another",
        "rounds a list of shares so that they still add up to 100",
        "parses durations such as 1h20m into seconds",
        "computes the moving median of sensor readings",
        "compresses a string by run-length encoding and restores it",
        "checks whether the brackets in a text are balanced",
        "finds the shortest path through a grid with obstacles",
        "deals a list of players into teams of nearly equal strength",
        "splits a long text into lines of at most 72 characters without breaking words",
        "validates the check digit of an ISBN-13",
        "finds the cheapest combination of ticket zones for a journey",
        "turns a nested dictionary into dotted keys and back",
        "keeps the ten most frequent words of a stream",
        "rotates a matrix by a quarter turn in place",
        "schedules tasks with dependencies and reports cycles",
        "compares two versions of a configuration and prints the differences",
        "counts the working days between two dates",
        "removes near-duplicate lines from a log",
        "finds pairs of numbers with a given difference",
        "evaluates arithmetic expressions with brackets",
        "translates text into Morse code and back",
        "generates a seating plan that separates given pairs of guests",
    ),
}
MATHS = """
A cistern holds {hundreds} litres and loses {small} litres an hour. After how many hours is it half empty?
A rectangular field is {small} m longer than it is wide, and a fence around it takes {hundreds} m. Find its sides.
{name} cycles {small} km against the wind at 12 km/h and returns at 18 km/h. What is the average speed?
A choir of {small} people shakes hands, everyone with everyone. How many handshakes are there?
Find all whole numbers below {hundreds} that leave the remainder 2 when divided by 3 and by 5.
Two bells ring every {small} and every {odd} minutes. They ring together at noon; when do they next do so?
A box holds {small} red and {odd} blue marbles. Two are drawn. What is the probability that both are red?
Calculate how much {hundreds} euros grow to in {odd} years at 3 percent compound interest.
A ladder of {odd} m leans against a wall, with its foot 3 m away. How high does it reach?
The sum of three consecutive odd numbers is {odd} times 9. What are they?
Compute the area of a ring between circles with the radii {small} cm and {hundreds} mm.
A train {hundreds} m long passes a signal in {small} seconds. How fast is it, in km/h?
"""
MATHS_SLOTS = {
    "hundreds": ("240", "360", "420", "480", "540", "600", "720", "900"),
    "small": ("8", "12", "14", "16", "18", "20", "24", "28"),
    "odd": ("5", "7", "9", "11", "13", "15", "21"),
}
_SENTENCES = (
    "The ferry leaves when the last bicycle is on board.",
    "Nobody had told the baker that the bridge was closed.",
    "The longer the winter lasts, the more carefully we count the wood.",
    "She kept the receipt, though the shop no longer existed.",
    "By the time the rain stopped, the market was over.",
    "We were promised a quiet room, but the bells rang every hour.",
    "It is not the hill that tires you, it is the stone in your shoe.",
    "Whoever borrows the ladder should bring it back before dark.",
    "The old map was wrong in the right places.",
    "If the tide allows it, we shall cross on foot.",
    "The committee agreed to meet again and on nothing else.",
    "His garden looked untidy, yet every plant had its place.",
)
TEXT_SLOTS = {
    "sentence": _SENTENCES,
    "language": ("French", "Spanish", "German", "Italian", "Portuguese", "Dutch", "Polish", "Swedish", "Japanese"),
    "tone": ("formal", "friendly", "ironic", "matter-of-fact", "solemn", "playful"),
    "labels": (
        "hopeful or resigned", "literal or figurative", "praise, a complaint or a neutral remark", "fact or opinion",
        "a promise, a threat or advice", "formal or informal",
    ),
    "things": (
        "lichen, moss, fern, horsetail", "lute, oboe, viola, timpani", "granite, chalk, slate, basalt",
        "otter, heron, pike, newt", "barge, dinghy, ferry, trawler", "quince, kale, barley, dill",
        "sonnet, ballad, limerick, haiku",
    ),
    "table": (
        "the opening hours of four small museums", "the tides of one week", "the costs of three walking tours",
        "the loans of a tool library in one month", "the yield of five apple varieties", "the rota of a night shelter",
    ),
}  # fmt: skip
TRANSLATION = """
Translate this sentence into {language}, in a {tone} tone: "{sentence}"
Give two {language} translations of the sentence "{sentence}", one of them {tone}.
Translate the following into {language} and explain one difficulty: "{sentence}"
How would {role} say "{sentence}" in {language}?
"""
CLASSIFY = """
Classify the sentence as {labels}: "{sentence}"
Sort these into two groups of your own choice and name the groups: {things}.
Decide whether the sentence is {labels}, and say which word settles it: "{sentence}"
Identify the odd one out and give a reason: {things}.
Label each of the following by where one would meet it: {things}.
"""
EDIT = """
Rewrite this sentence in a {tone} tone: "{sentence}"
Shorten the sentence by a third without losing its point: "{sentence}"
Rephrase the sentence for {audience}: "{sentence}"
Turn this statement into a question and keep its meaning: "{sentence}"
Rewrite the sentence in reported speech, as {role} might retell it: "{sentence}"
Combine the two sentences into one: "{sentence}" "Everybody knew why."
"""
DATA = """
Make a table of {table}, with plausible figures marked as invented.
Describe how you would lay out a spreadsheet for {table}.
Design a chart that shows {table} to {audience}.
Write down which columns a table of {table} needs, and which of them must never be empty.
"""
JAPANESE = """
{topic}について、{ja_audience}にも分かるように説明してください。
{topic}の魅力を{few}つ挙げ、それぞれに短い説明を付けてください。
{ja_place}で{topic}に関する小さな催しを開く計画を立ててください。
{ja_role}が{topic}について書いた短い手紙を作成してください。
{topic}を題材にした短い物語を、{ja_season}を舞台に書いてください。
{topic}にまつわるよくある誤解と、その確かめ方を述べてください。
{topic}を学校の授業で扱う場合の進め方を提案してください。
{topic}と似た例を一つ挙げ、共通点と相違点を比べてください。
"""
JAPANESE_SLOTS = {
    "topic": (
        "和紙の保存", "干潟の生き物", "活版印刷", "在来野菜", "灯台の歴史", "渡り鳥の観察", "方言の記録", "銭湯の設計",
        "発酵食品", "無人駅の活用", "古道具の修理", "影絵芝居", "里山の手入れ", "潮の満ち引き", "町内の掲示板",
        "手書きの地図",
    ),
    "task": (
        "予約の時間帯の重なりを見つける", "文章を七十二文字以内の行に分ける", "請求書番号の抜けを探す",
        "温度の記録から移動中央値を求める", "漢数字を整数に変換する", "二つの設定ファイルの差分を表示する",
    ),
}  # fmt: skip
JAPANESE_CODE = """
Pythonで、{task}関数を書いてください。
{task}プログラムを書き、使い方の例を{few}つ示してください。
{task}関数を設計し、入力が空の場合の扱いも説明してください。
"""
CHINESE = """
请向初学者介绍{topic}。
请列出关于{topic}的{few}个常见误解，并说明如何查证。
请为社区策划一次以{topic}为主题的活动。
请以{topic}为题写一篇短文。
请比较两种看待{topic}的方式。
请为中学课堂设计一节关于{topic}的课。
"""
CHINESE_SLOTS = {
    "topic": (
        "古籍修复",
        "湿地保护",
        "皮影戏",
        "候鸟迁徙",
        "老街改造",
        "传统发酵",
        "方言记录",
        "手工造纸",
        "灯塔",
        "社区菜园",
    ),
}
