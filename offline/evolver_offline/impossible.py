"""What no text model can do: draw, follow links, play sound, know what is happening now."""

from __future__ import annotations

from evolver_offline.subject import Subject

_READ = 300  # characters in which such a wish shows itself

_PICTURES = """
draw a picture | draw me | draw a portrait | draw a map | draw a diagram | draw a cartoon | draw a comic | draw a cat |
draw a tree | draw a scene | paint a picture | paint a portrait | paint me | paint a landscape | sketch a picture |
sketch a portrait | generate an image | create an image | make an image | produce an image | design an image |
generate a picture | create a picture | generate a photo | take a photo | take a picture | send me a photo |
create a drawing | make a drawing | create an illustration | generate an illustration | create a painting |
generate a gif | create a gif | create a meme | create a collage | create a visual | create an infographic |
generate a graph | create an animation | make an animation | show me a picture | describe this image |
describe the image | describe the picture | describe this picture | describe the photo | the given image | this photo
"""
_LINKS = """
visit the website | visit this website | browse the | click the link | open the link |
follow the link | the following link | search the web | search the internet | search online | look up online |
read the following url | the given url | download the | google the
"""
_ADDRESSES = ("http://", "https://", "www.")
_SOUND = """
play a song | play some music | play the song | play a recording | record a song | record a video | record yourself |
record an audio | listen to the following | listen to this | watch the video | watch this video | create a video |
make a video | produce a video | film a | sing a song | sing me | transcribe the audio | the audio file |
generate an audio | read it aloud to me
"""
_NOW = """
current weather | weather today | today's weather | weather forecast for today | weather tomorrow |
current stock price | today's stock | right now? | in real time | latest news | news of today | current time |
what time is it | current temperature | today's date | today's news | current exchange rate | current price of
"""
_CJK = (
    "絵を描いて", "絵を書いて", "画像を", "イラストを", "写真を撮", "録音し", "再生して", "リンクを開",
    "今日の天気", "画一幅", "播放", "生成图片",
)  # fmt: skip


def _by_first_word() -> dict[str, list[tuple[str, str]]]:
    """Each cue with what it asks for, under its first word: few instructions hold one of those."""
    found: dict[str, list[tuple[str, str]]] = {}
    for what, cues in (
        ("draw, see or show pictures", _PICTURES),
        ("open links or search the web", _LINKS),
        ("play, hear or record sound and video", _SOUND),
        ("know what is happening at this moment", _NOW),
    ):
        for cue in cues.split("|"):
            words = cue.split()
            found.setdefault(words[0], []).append((" ".join(words), what))
    return found


_WISHES = _by_first_word()


def impossible(subject: Subject) -> str:
    """What the instruction wants that text cannot give, as words after "cannot"; empty if nothing.

    Code about pictures or links is text, so programming tasks are never refused.
    """
    if subject.kind == "code":
        return ""
    if subject.language != "en":
        opening = subject.text[:_READ]
        return "draw, play or look things up" if any(cue in opening for cue in _CJK) else ""
    opening = subject.lowered[:_READ]
    if any(mark in opening for mark in _ADDRESSES):
        return "open links or search the web"
    for word in opening.split():
        for cue, what in _WISHES.get(word, ()):
            if cue in opening:
                return what
    return ""
