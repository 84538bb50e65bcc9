"""What is known of OpenAI and of Anthropic, without either's SDK."""

from __future__ import annotations

from evolver.models.protocol import Model
from evolver.models.registry import Provider, Setup


def _openai(name: str, setup: Setup) -> Model:
    from evolver.models.openai import OpenAIModel  # costs the SDK's import, so only where it is asked for

    return OpenAIModel(name, **setup.keywords())


def _anthropic(name: str, setup: Setup) -> Model:
    from evolver.models.anthropic import AnthropicModel  # as above

    return AnthropicModel(name, **setup.keywords())


OPENAI = Provider(
    prefix="openai",
    make=_openai,
    package="openai[aiohttp]",
    key="OPENAI_API_KEY",
    url="https://api.openai.com/v1",
    url_variable="OPENAI_BASE_URL",
    price_id="openai",
    families=("gpt", "chatgpt", "o1", "o3", "o4"),
    batch=True,
)
ANTHROPIC = Provider(
    prefix="anthropic",
    make=_anthropic,
    package="anthropic[aiohttp]",
    key="ANTHROPIC_API_KEY",
    url="https://api.anthropic.com",
    url_variable="ANTHROPIC_BASE_URL",
    price_id="anthropic",
    families=("claude",),
    batch=True,
)
