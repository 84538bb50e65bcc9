from __future__ import annotations

import subprocess
import sys

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from evolver.errors import SettingsError
from evolver.models.factory import ModelIdentity, identity, make_model
from evolver.models.protocol import Completion, Request


class Own:
    """The least a model can be."""

    async def complete(self, request: Request) -> Completion:
        return Completion("x")


@pytest.fixture
def _with_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")


@pytest.mark.usefixtures("_with_keys")
@pytest.mark.parametrize(
    ("spec", "base_url", "expected"),
    [
        ("offline", None, ModelIdentity("offline", "offline/1", None, local=True)),
        ("openai:m", None, ModelIdentity("openai", "openai:m", "https://api.openai.com/v1")),
        ("OpenAI:m", None, ModelIdentity("openai", "openai:m", "https://api.openai.com/v1")),
        (" openai:m ", "http://h:1/v1/", ModelIdentity("openai", "openai:m", "http://h:1/v1")),
        ("m", "http://h/v1", ModelIdentity("openai", "openai:m", "http://h/v1")),
        ("llama3:8b", "http://h/v1", ModelIdentity("openai", "openai:llama3:8b", "http://h/v1")),
        ("org/m", "http://h/v1", ModelIdentity("openai", "openai:org/m", "http://h/v1")),
        ("anthropic:c", None, ModelIdentity("anthropic", "anthropic:c", "https://api.anthropic.com")),
        ("anthropic:c", "http://h", ModelIdentity("anthropic", "anthropic:c", "http://h")),
        ("azure-openai:d", None, None),
    ],
)
def test_a_name_makes_the_model_it_names(
    spec: str, base_url: str | None, expected: ModelIdentity | None
) -> None:
    if expected is None:
        with pytest.raises(SettingsError, match="azure_openai:d"):
            make_model(spec, base_url=base_url)
    else:
        assert identity(make_model(spec, base_url=base_url)) == expected


def test_an_object_that_is_a_model_is_taken_as_it_is() -> None:
    own = Own()
    assert make_model(own) is own
    assert identity(own) == ModelIdentity("Own", "Own")


def test_a_langchain_object_becomes_a_model() -> None:
    model = make_model(GenericFakeChatModel(messages=iter([AIMessage("x")])))
    assert identity(model).name == "GenericFakeChatModel"


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("opnai:gpt-4.1-mini", "Did you mean 'openai:gpt-4.1-mini'"),
        ("antropic:c", "Did you mean 'anthropic:c'"),
        ("ofline", "Did you mean 'offline'"),
        ("gpt-4.1-mini", "Did you mean 'openai:gpt-4.1-mini'"),
        ("openai:", "Did you mean 'openai:NAME'"),
        ("zzz:m", "no model is called 'zzz:m'"),
        ("", "no model is called ''"),
        (":m", "no model is called ':m'"),
    ],
)
def test_a_name_nobody_answers_to_gets_the_likeliest_one_and_the_ways_to_name_a_model(
    spec: str, hint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        make_model(spec)
    assert hint in str(caught.value)
    assert "nothing was sent" in str(caught.value)
    assert "A model is anthropic:NAME, openai:NAME, offline, or provider:NAME for any" in str(caught.value)


@pytest.mark.parametrize(("spec", "base_url"), [("offline", "http://h"), (Own(), "http://h"), (42, None)])
def test_what_cannot_go_together_is_said_and_nothing_is_sent(spec: object, base_url: str | None) -> None:
    with pytest.raises(SettingsError, match="nothing was sent"):
        make_model(spec, base_url=base_url)


def test_only_the_packages_of_the_model_asked_for_are_imported() -> None:
    program = (
        "import sys; from evolver.models.factory import make_model, identity; identity(make_model('offline'));"
        "print([each for each in ('openai', 'anthropic', 'langchain', 'langchain_core', 'aiohttp', 'genai_prices')"
        " if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.usefixtures("_with_keys")
@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://models.example/v1", 1),
        ("http://10.0.0.7:8000/v1", 1),
        ("https://models.example/v1", 0),
        ("http://localhost:8000/v1", 0),
        ("http://127.0.0.1:8000/v1", 0),
        ("http://[::1]:8000/v1", 0),
    ],
)
def test_a_key_that_leaves_this_machine_unencrypted_is_told_of(url: str, told: int) -> None:
    notices: list[str] = []
    make_model("m", base_url=url, on_notice=notices.append)
    assert len([each for each in notices if "unencrypted" in each]) == told


def test_a_server_without_a_key_is_told_nothing_about_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    notices: list[str] = []
    make_model("m", base_url="http://models.example/v1", on_notice=notices.append)
    assert notices == []
