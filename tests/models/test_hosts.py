"""Whose machine an address names: nobody sends a bill for one's own, and anybody else is asked about."""

from __future__ import annotations

import pytest

from evolver.calls.prices import is_sold
from evolver.hosts import is_own, is_this_machine
from evolver.models.factory import identify

OWN = [
    "localhost",
    "localhost.",
    "LOCALHOST:8000",
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",
    "[::1]:80",
    "[::]",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.5",
    "[fd00::1]",
    "169.254.10.10",
    "[fe80::1]",
    "[::ffff:10.0.0.1]",
    "gpu-box",
    "ollama",
    "vllm.internal",
    "gpu.local",
    "a.localhost",
    "2130706433",
    "0x7f000001",
    "127.1",
]
OTHERS = [
    "api.openai.com",
    "eu.api.openai.com",
    "us.api.openai.com.",
    "gateway.example.com",
    "openrouter.ai",
    "my.lan",
    "8.8.8.8",
    "172.32.0.1",
    "172.15.0.1",
    "192.169.0.1",
    "11.0.0.1",
    "100.64.0.1",
    "[2001:db8::1]",
    "[::ffff:8.8.8.8]",
    "134744072",
    "0x08080808",
    "8.8",
    "localhost.evil.com",
    "10.0.0.1.evil.com",
    "internal.com",
    "api.internal.example.com",
    "gpu.local.evil.com",
    "evil-local.com",
    "127.0.0.1.nip.io",
]


@pytest.mark.parametrize("host", OWN)
def test_nobody_sends_a_bill_for_a_host_of_ones_own(host: str) -> None:
    assert is_own(f"http://{host}/v1")
    assert not is_sold(identify("openai:x", base_url=f"http://{host}/v1"))


@pytest.mark.parametrize("host", OTHERS)
def test_every_other_host_is_asked_about_like_the_provider_itself(host: str) -> None:
    assert not is_own(f"https://{host}/v1")
    assert is_sold(identify("openai:x", base_url=f"https://{host}/v1"))
    assert is_sold(identify("ollama:x", base_url=f"https://{host}/v1"))


@pytest.mark.parametrize("url", ["", "localhost", "http://", "http://[::1", "http://[nonsense]/v1"])
def test_what_is_no_address_is_nobodys_own(url: str) -> None:
    assert not is_own(url)
    assert not is_this_machine(url)


@pytest.mark.parametrize(
    ("host", "here"),
    [("localhost", True), ("127.0.0.1", True), ("[::1]", True), ("10.0.0.1", False), ("gpu-box", False)],
)
def test_only_what_stays_on_this_machine_passes_no_wire(host: str, here: bool) -> None:
    assert is_this_machine(f"http://{host}/v1") is here


@pytest.mark.parametrize(
    ("spec", "variable", "said", "address", "sold"),
    [
        ("ollama:m", "OLLAMA_HOST", "https://ollama.example.com/", "https://ollama.example.com", True),
        ("ollama:m", "OLLAMA_HOST", "ollama.example.com:11434", "http://ollama.example.com:11434", True),
        ("ollama:m", "OLLAMA_HOST", "gpu-box", "http://gpu-box", False),
        ("ollama:m", "OLLAMA_HOST", "127.0.0.1:11435", "http://127.0.0.1:11435", False),
        ("ollama:m", "OLLAMA_HOST", ":11435", "http://127.0.0.1:11435", False),
        ("ollama:m", "OLLAMA_HOST", "127.0.0.1:11434", None, False),
        ("ollama:m", "OLLAMA_HOST", "0.0.0.0", None, False),
        ("ollama:m", "OLLAMA_HOST", "  ", None, False),
        ("ollama:m", "OLLAMA_HOST", "http://[::1", "(unreadable)", True),
        ("groq:m", "GROQ_API_BASE", "https://gate.example.com/v1?key=x", "https://gate.example.com/v1", True),
        ("mistralai:m", "MISTRAL_BASE_URL", "http://gpu-box:8000/v1", "http://gpu-box:8000/v1", False),
        ("mistralai:m", "GROQ_API_BASE", "http://gpu-box:8000/v1", None, True),
    ],
)
def test_the_address_that_a_library_takes_from_the_environment_tells_its_model_apart_and_is_asked_about(
    monkeypatch: pytest.MonkeyPatch, spec: str, variable: str, said: str, address: str | None, sold: bool
) -> None:
    monkeypatch.setenv(variable, said)
    who = identify(spec)
    assert (who.base_url, is_sold(who)) == (address, sold)


def test_an_object_whose_library_takes_its_address_from_the_environment_is_told_apart_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Chat:
        name, provider, settings = "ollama:m", "ollama", ""

        async def complete(self, request: object) -> None: ...

    assert identify(Chat()).base_url is None
    monkeypatch.setenv("OLLAMA_HOST", "https://ollama.example.com")
    assert identify(Chat()).base_url == "https://ollama.example.com"
    assert identify("ollama:m", base_url="http://gpu-box").base_url == "http://gpu-box"
