"""What is known of the providers behind LangChain, without LangChain."""

from __future__ import annotations

from evolver.models.protocol import Model
from evolver.models.registry import Fallback, Provider, Setup

_KNOWN = (
    *("anthropic_bedrock", "azure_ai", "azure_openai", "baseten", "bedrock", "bedrock_converse", "cohere"),
    *("deepseek", "fireworks", "google_anthropic_vertex", "google_genai", "google_vertexai", "groq"),
    *("huggingface", "ibm", "litellm", "meta", "mistralai", "nvidia", "ollama", "openrouter", "perplexity"),
    *("together", "upstage", "xai"),
)
_PRICE_IDS = {
    **dict.fromkeys(("anthropic_bedrock", "bedrock", "bedrock_converse"), "aws"),
    **dict.fromkeys(("azure_ai", "azure_openai"), "azure"),
    **dict.fromkeys(("google_genai", "google_vertexai"), "google"),
    "mistralai": "mistral",
    "xai": "x-ai",
}
"""Names of genai-prices that differ from LangChain's."""

_SELF_HOSTED = frozenset({"ollama"})
_HOST_VARIABLES = {
    "azure_openai": ("AZURE_OPENAI_ENDPOINT",),
    "deepseek": ("DEEPSEEK_API_BASE",),
    "fireworks": ("FIREWORKS_API_BASE",),
    "google_genai": ("GOOGLE_GEMINI_BASE_URL",),
    "groq": ("GROQ_API_BASE", "GROQ_BASE_URL"),
    "mistralai": ("MISTRAL_BASE_URL",),
    "nvidia": ("NVIDIA_BASE_URL",),
    "ollama": ("OLLAMA_HOST",),
    "openrouter": ("OPENROUTER_API_BASE",),
    "together": ("TOGETHER_API_BASE",),
    "upstage": ("UPSTAGE_API_BASE",),
    "xai": ("XAI_API_BASE",),
}
"""Where the packages of LangChain look for another address than the provider's own (as of 2026-11)."""

_FAMILIES = {"google_genai": ("gemini",), "mistralai": ("mistral", "codestral"), "deepseek": ("deepseek",)}


def _record(prefix: str) -> Provider:
    def make(name: str, setup: Setup) -> Model:
        from evolver.models.langchain import LangChainModel  # LangChain takes most of a second to import

        return LangChainModel(f"{prefix}:{name}", **setup.keywords())

    return Provider(
        prefix=prefix,
        make=make,
        price_id=_PRICE_IDS.get(prefix, prefix),
        self_hosted=prefix in _SELF_HOSTED,
        host_variables=_HOST_VARIABLES.get(prefix, ()),
        families=_FAMILIES.get(prefix, ()),
        takes_key=True,
    )


LANGCHAIN = Fallback(tuple(map(_record, _KNOWN)), _record, "any provider LangChain knows")
