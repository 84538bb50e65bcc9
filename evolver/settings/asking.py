"""The settings of how a model is asked, which may differ by purpose; the rest are in :mod:`evolver.settings.fields`.

Annotations are no strings here: to read them again would cost the help page 3 ms.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from evolver.settings.definition import Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How a model is asked. Each of these may differ by purpose; see :meth:`Settings.asking`."""

    model: Annotated[
        str,
        Setting(
            help="openai:NAME, anthropic:NAME, or provider:NAME of any other that is installed or LangChain knows.",
            group="Models",
            metavar="SPEC",
            more="A model of another provider or server than the rest may judge or answer.",
            argument=True,
            by_purpose=True,
            common=True,
        ),
    ] = "offline"
    base_url: Annotated[
        tuple[str, ...] | None,
        Setting(
            help="Any OpenAI-compatible server: vLLM, Ollama, llama.cpp, …; again for one more of the model.",
            group="Models",
            metavar="URL",
            more="`none` for the judge or the answers is the provider's own address; see "
            "[Several servers](servers.md#several-servers-for-one-model).",
            by_purpose=True,
            common=True,
            risk="sends",
        ),
    ] = None
    key_variable: Annotated[
        str | None,
        Setting(
            help="The environment variable that holds the key.",
            group="Models",
            metavar="NAME",
            shown="the provider's",
            by_purpose=True,
            risk="sends",
        ),
    ] = None
    temperature: Annotated[
        float | None,
        Setting(
            help="Sampling temperature.",
            group="Models",
            metavar="X",
            more="The judge is asked at 0 and without `top_p` unless it is given values of its own.",
            ge=0,
            le=2,
            by_purpose=True,
        ),
    ] = 1.0
    top_p: Annotated[
        float | None,
        Setting(help="Nucleus sampling.", group="Models", metavar="X", gt=0, le=1, by_purpose=True),
    ] = 0.9
    max_tokens: Annotated[
        int,
        Setting(help="Most tokens of a completion.", group="Models", metavar="N", ge=1, by_purpose=True),
    ] = 2048
    max_tokens_limit: Annotated[
        int | None,
        Setting(
            help="Most tokens where a model is cut while it thinks.",
            group="Models",
            metavar="N",
            shown="eight times --max-tokens",
            more="An answer that is cut before it begins is asked for again with twice the limit, up to this one.",
            ge=1,
            by_purpose=True,
        ),
    ] = None
    system: Annotated[
        str | None,
        Setting(
            help="System text of every call.",
            group="Models",
            metavar="TEXT",
            more="It stands before the system text of a mutator that has one of its own.",
            by_purpose=True,
        ),
    ] = None
    reasoning_effort: Annotated[
        str | None,
        Setting(
            help="How much a model is to think: low, medium, high or its provider's own word.",
            group="Models",
            metavar="LEVEL",
            more="Where the level itself is called `none`, give it as `extra_body`.",
            by_purpose=True,
            common=True,
        ),
    ] = None
    extra_body: Annotated[
        dict[str, Any] | None,
        Setting(
            help="More of a request, as its server takes it: '{\"top_k\": 20}'.",
            group="Models",
            metavar="JSON",
            more="It is sent as it stands, is stored with the run, and holds no keys; see "
            "[A block for each purpose](providers.md#a-block-for-each-purpose).",
            by_purpose=True,
            common=True,
            risk="sends",
        ),
    ] = None
