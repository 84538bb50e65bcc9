"""What models put around a text comes off; what a text is about stays."""

from __future__ import annotations

import pytest

from evolver.chatter import tokens_in, unframed, without_tokens
from evolver.text import unwrap

PARENT = "Name three rivers."
TEXT = "Name four rivers and their capitals."


@pytest.mark.parametrize(
    "completion",
    [
        f"{TEXT}<|im_end|>",
        f"{TEXT}<|im_end|>\n<|im_start|>user\nNext question",
        f"{TEXT}<|im_end|>\nuser\nNext question",
        f"{TEXT}</s>",
        f"{TEXT} </s></s>",
        f"{TEXT} [/INST]",
        f"{TEXT}<|eot_id|>",
        f"{TEXT}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nNext",
        f"{TEXT}<|endoftext|>",
        f"{TEXT}<|endoftext|><|endoftext|>",
        f"{TEXT}<|end_of_text|>",
        f"{TEXT}<end_of_turn>\n<start_of_turn>user\nNext",
        f"{TEXT}<|end|>\n<|user|>\nNext",
        f"{TEXT}<｜end▁of▁sentence｜>",
        f"<|im_start|>assistant\n{TEXT}<|im_end|>",
        f"<|start_header_id|>assistant<|end_header_id|>\n\n{TEXT}<|eot_id|>",
        f"<start_of_turn>model\n{TEXT}<end_of_turn>",
    ],
)
def test_template_tokens_go_with_what_follows_them(completion: str) -> None:
    assert without_tokens(completion, PARENT) == TEXT


@pytest.mark.parametrize(
    "text",
    [
        "Explain `<|im_end|>` to a newcomer.",
        "The token <|im_end|> ends a turn.",
        "A turn looks like this:\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>",
        "```\n<|im_start|>user\nHi<|im_end|>\n```",
        "<p><s>12</s> 9 euros</p>",
        "<s>old</s>",
        "a < b | c > d",
    ],
)
def test_a_text_about_templates_keeps_their_tokens(text: str) -> None:
    assert without_tokens(text, PARENT) == text


def test_a_token_of_the_users_own_text_stays_at_the_end_of_a_rewrite() -> None:
    text = "What does a server do after <|im_end|>"
    assert without_tokens(text, "What is <|im_end|>") == text


@pytest.mark.parametrize(
    "completion",
    [
        f"Sure! Here is the rewritten prompt:\n\n{TEXT}",
        f"Sure, here's the rewritten prompt: {TEXT}",
        f"Certainly! Here's a more complex version of the given prompt:\n\n{TEXT}",
        f"Here is the new, more challenging version of the question:\n{TEXT}",
        f"**Here is the rewritten prompt:**\n\n{TEXT}",
        f"Of course! Below is your revised instruction:\n\n{TEXT}",
        f'Here is the rewritten prompt:\n\n"{TEXT}"',
        f"Here is the rewritten prompt:\n\n```\n{TEXT}\n```",
        f"Here is the rewritten prompt:\n\n#Rewritten Prompt#:\n{TEXT}",
        f"Here is the rewritten prompt:\n\n**{TEXT}**\n\nLet me know if you want another!",
        f"Certainly!\n\n{TEXT}",
        f"Sure! {TEXT}",
        f"{TEXT}\n\nLet me know if you need anything else!",
        f"{TEXT}\n\n---\n\nI hope this helps! Feel free to ask for more.",
        f"Sure! Here is the rewritten prompt:\n\n{TEXT}\n\nWould you like me to change anything?",
    ],
)
def test_chat_around_a_rewrite_goes(completion: str) -> None:
    assert unframed(unwrap(completion, "Rewritten Prompt"), PARENT) == TEXT


@pytest.mark.parametrize(
    "text",
    [
        "Here is a list of words: a, b. Sort it.",
        "Here is my code:\nx = 1\nMend it.",
        "Here are two prompts. Compare them: a; b",
        "Of course nobody knows. Why?",
        "Sure, but why?",
        "This is a question about time: when?",
        'Write a mail that ends with:\n\n"Let me know if it suits you."',
        "Sure!",
    ],
)
def test_an_instruction_that_begins_or_ends_like_chat_stays(text: str) -> None:
    assert unframed(text, PARENT) == text


def test_chat_that_the_parent_holds_is_the_users() -> None:
    text = "Sure! Here is the rewritten prompt:\nBe brief.\n\nLet me know if it is fine."
    assert unframed(text, f"Improve: {text}") == text


def test_a_pair_of_strike_tags_is_html_and_an_end_alone_is_a_token() -> None:
    assert list(tokens_in("<s>12</s> 9 euros")) == []
    assert list(tokens_in("12</s> and <|im_end|>")) == ["</s>", "<|im_end|>"]
