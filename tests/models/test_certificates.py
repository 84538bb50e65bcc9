"""A server whose certificate nobody vouches for gets neither a key nor a text, whatever the environment says."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest
from aiohttp import web

from evolver.errors import ModelError
from evolver.models.anthropic import AnthropicModel
from evolver.models.openai import OpenAIModel
from evolver.models.protocol import Request, Sampling

ASK = Request("evolve", "Why?", Sampling(), "1.1")
SWITCHES = {
    "PYTHONHTTPSVERIFY": "0",
    "CURL_CA_BUNDLE": "",
    "REQUESTS_CA_BUNDLE": "",
    "NODE_TLS_REJECT_UNAUTHORIZED": "0",
    "OPENAI_VERIFY_SSL": "0",
    "SSL_VERIFY": "false",
}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate that it has signed itself, in one file."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    made = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost")
    names = ("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    out = file.with_suffix(".crt")
    subprocess.run(["openssl", *made, *names, "-keyout", file, "-out", out], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + out.read_bytes())
    return file


async def asked(certificate: Path, provider: type[OpenAIModel] | type[AnthropicModel]) -> tuple[str, int]:
    """Ask a server with that certificate; return what was said, and how many requests it got."""
    got: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        got.append(request.path)
        body = {
            "choices": [{"message": {"content": "So."}, "finish_reason": "stop"}],
            "content": [{"type": "text", "text": "So."}],
            "stop_reason": "end_turn",
        }
        return web.json_response(body)

    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        model = provider("m", base_url=f"https://localhost:{runner.addresses[0][1]}/v1")
        try:
            return (await model.complete(ASK)).text, len(got)
        except ModelError as error:
            return str(error), len(got)
        finally:
            await model.aclose()
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("provider", [OpenAIModel, AnthropicModel])
@pytest.mark.parametrize("switched", [False, True])
def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(
    certificate: Path,
    provider: type[OpenAIModel] | type[AnthropicModel],
    monkeypatch: pytest.MonkeyPatch,
    *,
    switched: bool,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-1")
    for name, value in SWITCHES.items() if switched else ():
        monkeypatch.setenv(name, value)
    said, requests = asyncio.run(asked(certificate, provider))
    assert "its certificate is not trusted" in said
    assert requests == 0


def test_the_authority_that_its_user_names_is_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    assert asyncio.run(asked(certificate, OpenAIModel)) == ("So.", 1)
