"""What is a trace, and what is a text that talks about traces."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolver.answers.reasoning import Split, split

THOUGHT = "The given prompt asks for two things, sorry. Are they equal or not equal? Not equal."
ANSWER = "Equal"

TRACES = {
    "think": f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}",
    "think on one line": f"<think>{THOUGHT}</think>{ANSWER}",
    "think in capitals": f"<THINK>{THOUGHT}</THINK>\n{ANSWER}",
    "think with attributes": f'<think time="3">{THOUGHT}</think>\n{ANSWER}',
    "white space before think": f"\n\n  <think>\n{THOUGHT}\n</think>\n{ANSWER}",
    "a byte order mark before think": f"\ufeff<think>{THOUGHT}</think>{ANSWER}",
    "think after the template's turn": f"<|im_start|>assistant\n<think>{THOUGHT}</think>{ANSWER}",
    "thinking": f"<thinking>{THOUGHT}</thinking>\n{ANSWER}",
    "Thinking": f"<Thinking>{THOUGHT}</Thinking> {ANSWER}",
    "reasoning": f"<reasoning>\n{THOUGHT}\n</reasoning>\n{ANSWER}",
    "thought": f"<thought>\n{THOUGHT}\n</thought>\n{ANSWER}",
    "thoughts": f"<thoughts>{THOUGHT}</thoughts>\n{ANSWER}",
    "scratchpad": f"<scratchpad>{THOUGHT}</scratchpad>\n{ANSWER}",
    "a namespace": f"<seed:think>{THOUGHT}</seed:think>{ANSWER}",
    "another namespace": f"<mm:think>{THOUGHT}</mm:think>{ANSWER}",
    "square brackets": f"[THINK]{THOUGHT}[/THINK]{ANSWER}",
    "triangles": f"◁think▷{THOUGHT}◁/think▷{ANSWER}",
    "special tokens": f"<|START_THINKING|>{THOUGHT}<|END_THINKING|><|START_RESPONSE|>{ANSWER}<|END_RESPONSE|>",
    "thought and solution": f"<|begin_of_thought|>{THOUGHT}<|end_of_thought|>\n\n"
    f"<|begin_of_solution|>{ANSWER}<|end_of_solution|>",
    "start and end of thought": f"<|startthought|>{THOUGHT}<|endthought|>{ANSWER}",
    "inner prefix": f"<|inner_prefix|>{THOUGHT}<|inner_suffix|>{ANSWER}",
    "unused tokens": f"<unused94>thought\n{THOUGHT}<unused95>{ANSWER}",
    "working out": f"<start_working_out>{THOUGHT}<end_working_out><SOLUTION>{ANSWER}</SOLUTION>",
    "in words": f"Here is my thought process:\n{THOUGHT}\n\nHere is my response:\n{ANSWER}",
    "as a terminal shows it": f"Thinking...\n{THOUGHT}\n...done thinking.\n\n{ANSWER}",
    "details": f'<details type="reasoning" done="true">\n{THOUGHT}\n</details>\n{ANSWER}',
    "answer in a frame": f"<think>{THOUGHT}</think>\n<answer>{ANSWER}</answer>",
    "response in a frame": f"<think>{THOUGHT}</think>\n\n<response>\n{ANSWER}\n</response>\n",
    "no closing tag before the frame": f"<think>{THOUGHT}\n<answer>{ANSWER}</answer>",
    "another closing tag": f"<thinking>{THOUGHT}</think>\n{ANSWER}",
    "nested": f"<think>{THOUGHT}<think>once more</think>{THOUGHT}</think>{ANSWER}",
    "two traces": f"<think>{THOUGHT}</think>\n<think>once more</think>\n{ANSWER}",
    "a tag quoted in the thought": f'<think>I end with "</think>". {THOUGHT}\n</think>\n{ANSWER}',
    "a tag in backticks in the thought": f"<think>I end with `</think>`. {THOUGHT}\n</think>\n{ANSWER}",
    "orphan on a line of its own": f"{THOUGHT}\n</think>\n\n{ANSWER}",
    "orphan after the sentence": f"{THOUGHT}</think>\n\n{ANSWER}",
    "orphan glued to both": f"{THOUGHT}</think>{ANSWER}",
    "orphan after a word": f"So the answer is Not Equal</think>\n\n{ANSWER}",
    "orphan between spaces": f"{THOUGHT} </think> {ANSWER}",
    "orphan thinking": f"{THOUGHT}\n</thinking>\n{ANSWER}",
    "orphan in square brackets": f"{THOUGHT}[/THINK]{ANSWER}",
    "orphan in triangles": f"{THOUGHT}\n◁/think▷\n{ANSWER}",
    "orphan after code": f"```python\nx = 1\n```\n{THOUGHT}\n</think>\n{ANSWER}",
    "harmony": f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}",
    "harmony with its last token": f"<|channel|>analysis<|message|>{THOUGHT}<|end|>\n"
    f"<|start|>assistant<|channel|>final<|message|>{ANSWER}<|return|>",
    "harmony without ends": f"<|channel|>analysis<|message|>{THOUGHT}<|channel|>final<|message|>{ANSWER}",
    "harmony from its start": f"<|start|>assistant<|channel|>analysis<|message|>{THOUGHT}<|end|>"
    f"<|start|>assistant<|channel|>final<|message|>{ANSWER}",
    "harmony begun by the template": f"analysis<|message|>{THOUGHT}<|end|>"
    f"<|start|>assistant<|channel|>final<|message|>{ANSWER}",
    "harmony with a thought begun": f"{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}",
    "harmony with commentary": f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>commentary"
    f"<|message|>I compare.<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}",
    "harmony without its tokens": f"analysisWe compare. {THOUGHT}assistantfinal{ANSWER}",
    "harmony without its tokens, by line": f"analysis\n{THOUGHT}\nassistantfinal\n{ANSWER}",
    "one channel token": f"<|channel>thought\n{THOUGHT}<channel|>{ANSWER}",
}


@pytest.mark.parametrize("text", TRACES.values(), ids=TRACES)
def test_a_trace_at_the_start_is_split_off_in_every_form(text: str) -> None:
    answer, reasoning, unclosed = split(text)
    assert answer.strip() == ANSWER
    assert reasoning
    assert "Not " in reasoning
    assert not unclosed


@pytest.mark.parametrize(
    "text",
    [
        f"<think>\n{THOUGHT}",
        f"<thinking>{THOUGHT}",
        f'<think>I end with "</think>" and go on. {THOUGHT}',
        f"[THINK]{THOUGHT}",
        f"◁think▷{THOUGHT}",
        f"<|channel|>analysis<|message|>{THOUGHT}",
        f"<|channel|>analysis<|message|>{THOUGHT}<|end|>",
        f"analysisWe compare. {THOUGHT}",
        f"<|channel>thought\n{THOUGHT}",
        f"<think>a</think><think>{THOUGHT}",
    ],
)
def test_a_trace_without_an_end_is_all_there_is(text: str) -> None:
    answer, reasoning, unclosed = split(text)
    assert (answer, unclosed) == ("", True)
    assert reasoning
    assert reasoning.endswith(THOUGHT)


@pytest.mark.parametrize(
    "empty", ["<think></think>", "<think>\n\n</think>\n\n", "</think>\n\n", "[THINK][/THINK]", "<think/>\n"]
)
def test_an_empty_trace_goes_and_leaves_no_reasoning(empty: str) -> None:
    assert split(f"{empty}{ANSWER}") == Split(ANSWER, None, False)


ABOUT = [
    "Use <think> tags to show your work, then answer.",
    "<think> tags are how some models mark their reasoning.",
    "<think> and </think> delimit the reasoning of a model.",
    "<think>...</think> is where the model thinks.",
    "<think></think> tags may be empty.",
    "<thinking>, <reasoning> and <scratchpad> are tags that prompts use.",
    "The `</think>` tag closes a trace.",
    "The </think> token ends the thought.",
    "A model closes its thought with </think>\n\nThen it answers.",
    "Stop generation at </think>. Then count the tokens.",
    "Some servers send </think> alone, because the template opened it.",
    "Strip everything before </think> from the answer.",
    "The template ends the thought with the closing tag:\n\n</think>\n\nThe answer comes after it.",
    "1. Open with <think>\n2. Close with\n</think>\n\nThat is all.",
    "Explain what `<think>` does and why </think> matters.",
    "Print '</think>'\nand stop.",
    'Split the text at "</think>" and return both halves.',
    "Here is an example:\n```\nI think so.\n</think>\n\nYes.\n```\nWhat does it show?",
    "```python\nanswer = text.split('</think>')[-1]\n```\nExplain this line.",
    "```xml\n<think>\nhm\n</think>\n```",
    "`<think>` opens a trace.",
    "Example:\n\n    I think so.\n    </think>\n    Yes.\n\nWhat does it show?",
    "Compare <thinking>a</thinking> with <thought>b</thought>.",
    "Answer in this form: <reasoning>why</reasoning><answer>what</answer>",
    "Write XML:\n<doc><reasoning>a</reasoning></doc>",
    '{"prompt": "Think first.\\n</think>\\nYes"}',
    '{"reasoning": "a", "answer": "b"}',
    "<p>I think, therefore I am.</p>",
    "<details><summary>More</summary>Text</details>",
    "<thinker>Rodin</thinker>",
    "[thinking] Hmm, said the actor.",
    "[Think] of a number between 1 and 10.",
    "analysis of variance compares means.",
    "analysis: the two prompts differ.",
    "assistant professors write final exams.",
    "<|channel|> is a special token of one family of models.",
    "Explain `<|channel|>analysis<|message|>` to a newcomer.",
    "What does <|im_start|> mean?",
    "Thoughts: the question is open.",
    "I think </b> is missing.",
    "Here is my thought process: I add both numbers.",
    "",
    "  \n",
]


@pytest.mark.parametrize("text", ABOUT)
def test_a_text_that_only_talks_about_tags_is_untouched(text: str) -> None:
    assert split(text) == Split(text, None, False)


TAGS = [
    "<think>",
    "</think>",
    "[THINK]",
    "[/THINK]",
    "◁think▷",
    "◁/think▷",
    "<thinking>",
    "</thinking>",
    "<|channel|>",
]
WORDS = st.sampled_from(
    [*TAGS, "analysis", "final", "<|message|>", "<|end|>", "Okay.", "so", "\n", " ", "`", "```\n", '"']
)
ANY_TEXT = st.lists(WORDS, max_size=14).map("".join) | st.text(max_size=60)
SIGNS = st.characters(exclude_characters="<[◁{`\"'", exclude_categories=["Cs"])
PLAIN = st.text(SIGNS, max_size=80).filter(
    lambda text: not text.strip().startswith(("analysis", "assistant"))
)


@given(ANY_TEXT)
def test_splitting_an_answer_again_changes_nothing(text: str) -> None:
    answer = split(text).answer
    assert split(answer) == Split(answer, None, False)


@given(ANY_TEXT)
def test_nothing_is_lost_but_tags_and_white_space(text: str) -> None:
    answer, reasoning, _ = split(text)
    names = r"<\|?/?\w+\|?>|\[/?THINK\]|◁/?think▷|analysis|final|\s"
    assert re.sub(names, "", (reasoning or "") + answer) == re.sub(names, "", text)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("</think>\n" * 20_000, 900),
        ("<think></think>" * 20_000, 1_500),
        ("<think>" * 20_000, 140_000),
        ("<think>" + "\n" * 200_000, 200_007),
        ("`</think>`" * 20_000, 0),
    ],
    ids=["orphans", "empty traces", "openings", "blank lines", "quoted"],
)
def test_of_a_model_that_repeats_itself_for_ever_a_hundred_traces_go(text: str, gone: int) -> None:
    assert len(text) - len(split(text).answer) == gone


@given(PLAIN)
def test_a_text_without_tags_is_the_same_text(text: str) -> None:
    assert split(text) == Split(text, None, False)


@given(PLAIN.map(str.strip), PLAIN.map(str.strip).filter(bool))
def test_thought_and_answer_come_back_byte_for_byte(thought: str, answer: str) -> None:
    found = split(f"<think>\n{thought}\n</think>\n\n{answer}")
    assert (found.answer, found.reasoning or "") == (answer, thought)
