"""The words of an instruction that an answer should take up."""

from __future__ import annotations

import re

from evolver_offline.subject import Subject, words_in

_MOST = 4
_LATIN = re.compile(r"[A-Za-z][a-z]{3,}").findall
_CJK = re.compile("[\u30a1-\u30ffー]{3,}|[\u4e00-\u9fff]{2,}|[A-Za-z]{3,}").findall
_CHINESE_TOPIC = re.compile(
    "以([^，。]{2,8}?)为|关于([^，。]{2,8}?)的|介绍([^，。]{2,8})|看待([^，。]{2,8}?)的"
).findall
_PLAIN = words_in(
    "about above after again also answer answers based because been before being below between both cannot come "
    "compose could create describe develop does each edit even every example examples explain following from "
    "generate give given have help here identify include into just keep like list longer make many more most must "
    "name need none only other over please provide rewrite same sentence sentences should show some such suggest "
    "take than that their them then there these they this those three through under using used very want what "
    "when where which while will with within without word words would write your following input output compare "
    "contrast design construct classify determine discuss analyze analyse summarize summarise convert calculate "
    "find produce state outline tell text four five program function code python javascript java certain "
    "different provided various type implement small large good best know whether check read reads modify story "
    "essay poem draft short paragraph article letter email speech "
    "blog post many change would your ways list lists brief starts discussing describing important popular "
    "build uses based asks people thing things"
)


_WEAK_ENDINGS = ("ical", "tive", "ous", "ful", "ally", "able")


def key_terms(subject: Subject) -> list[str]:
    """Up to four telling words of what is asked, in their order.

    The first word is left out, as it is the verb, and so are words that look like adjectives.
    """
    terms: list[str] = []
    if subject.language == "zh":
        return [part for found in _CHINESE_TOPIC(subject.opening) for part in found if part][:_MOST]
    if subject.language == "ja":
        for word in _CJK(subject.opening):
            if word not in terms:
                terms.append(word)
        return terms[:_MOST]
    for word in _LATIN(subject.opening.partition(" ")[2]):
        lowered = word.lower()
        if lowered not in _PLAIN and word not in terms and not lowered.endswith(_WEAK_ENDINGS):
            terms.append(word)
            if len(terms) == _MOST:
                break
    return terms


_ABOUT = (" about ", " regarding ", " the topic of ", " concept of ", " between ", " of ", " on ", " for ")
_LONGEST_TOPIC = 5  # words
_TOPIC_ENDS = words_in(
    "in on for that which who to with and or from by at as into using when where if while vs versus than is are was "
    "were of set must should can could would will has have so but without within during"
)


def topic_of(subject: Subject) -> str:
    """The subject matter that a preposition introduces, at most five words; empty if none does."""
    head = subject.opening.partition('"')[0]
    for cue in _ABOUT:
        start = head.find(cue)
        if start >= 0:
            topic = _leading_phrase(head[start + len(cue) :])
            if topic:
                return topic
    return ""


def _leading_phrase(text: str) -> str:
    words: list[str] = []
    for word in text.split()[: _LONGEST_TOPIC + 1]:
        bare = word.strip(".,:;?!\"'()`")
        if not words and bare.lower() in ("a", "an", "the", "how", "your", "this", "these", "each"):
            continue
        if not bare or bare[0].isdigit() or bare.lower() in _TOPIC_ENDS:
            break
        words.append(bare)
        if bare != word and not word.startswith(("'", "(", '"')):
            break
    return " ".join(words[:_LONGEST_TOPIC])
