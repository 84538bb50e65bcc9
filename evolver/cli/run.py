"""``evolve run``, which is also plain ``evolve --pool FILE``: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from evolver.settings import Settings

_FORMATS = ("wizardcoder", "alpaca", "text", "messages", "sharegpt", "prompt-completion")


@click.command()
@click.option("--pool", metavar="FILE", help="Instructions: JSON, JSONL, Parquet or plain text; - is stdin.")
@click.option("--epochs", type=int, metavar="N", help="Generations to evolve.  [default: 4]")
@click.option(
    "--model",
    metavar="SPEC",
    help="openai:NAME, anthropic:NAME, offline, or any LangChain provider:NAME.  [default: offline]",
)
@click.option("--base-url", metavar="URL", help="Any OpenAI-compatible server: vLLM, Ollama, llama.cpp, …")
@click.option("--judge-model", metavar="SPEC", help="Another model for the judge.")
@click.option("--answer-model", metavar="SPEC", help="Another model for the answers.")
@click.option("--no-judge", "judge", flag_value=False, default=None, help="Leave out the judge's call.")
@click.option("--preset", metavar="NAME", help="Mutator set: wizardlm or wizardcoder.  [default: wizardlm]")
@click.option(
    "--mutators", metavar="LIST", help="Names with weights (a,b=2), file.py:Name, module:Name, file.jinja."
)
@click.option(
    "--rules", metavar="LIST", help="Elimination rules to add: file.py:Name, module:Name; or names."
)
@click.option("--skip-rules", metavar="LIST", help="Elimination rules to leave out.")
@click.option("--refusal-phrases", metavar="LIST", help="More words for 'sorry', such as 申し訳,désolé.")
@click.option(
    "--attempts", type=int, metavar="K", help="Tries an epoch, each with another mutator.  [default: 1]"
)
@click.option(
    "--store", metavar="URL", help="Where the lineage goes: a file or postgresql://….  [default: evolve.db]"
)
@click.option("--run", metavar="NAME", help="Name of the run.  [default: from what shapes the lineage]")
@click.option(
    "--output",
    metavar="FILE",
    help="Dataset: .jsonl, .json, .parquet, or a folder for the Hub.  [default: evolved.jsonl]",
)
@click.option("--format", type=click.Choice(_FORMATS), help="Shape of its rows.  [default: wizardcoder]")
@click.option("--seed", type=int, metavar="N", help="Seed of every draw.  [default: 0]")
@click.option("--limit", type=int, metavar="N", help="Only the first N seeds.")
@click.option("--strict", flag_value=True, default=None, help="Make the first bad row of the pool an error.")
@click.option(
    "--answer-seeds",
    type=click.Choice(("none", "missing", "all")),
    is_flag=False,
    flag_value="missing",
    help="Let the model answer seeds without a response, or all of them.  [default: none]",
)
@click.option("--temperature", type=float, metavar="X", help="Sampling temperature.  [default: 1]")
@click.option("--top-p", type=float, metavar="X", help="Nucleus sampling.  [default: 0.9]")
@click.option("--max-tokens", type=int, metavar="N", help="Most tokens of a completion.  [default: 2048]")
@click.option("--concurrency", type=int, metavar="N", help="Most calls in flight.  [default: 64]")
@click.option("--rpm", type=int, metavar="N", help="Most requests a minute.")
@click.option("--tpm", type=int, metavar="N", help="Most tokens a minute.")
@click.option(
    "--timeout", type=float, metavar="S", help="Seconds after which a call is tried again.  [default: 300]"
)
@click.option("--max-cost", type=float, metavar="USD", help="Stop, resumable, before the spend passes it.")
@click.option("--price-in", type=float, metavar="USD", help="Price of a million prompt tokens.")
@click.option("--price-out", type=float, metavar="USD", help="Price of a million completion tokens.")
@click.option(
    "--no-cache", "cache", flag_value=False, default=None, help="Pay again for calls the store holds."
)
@click.option(
    "--batch", flag_value=True, default=None, help="Ask in the provider's batches: half price, within a day."
)
@click.option(
    "--batch-fallback",
    type=click.Choice(("none", "live")),
    help="Ask the last few requests live rather than in a batch.  [default: none]",
)
@click.option(
    "--batch-min", type=int, metavar="N", help="Fewer requests are not worth a batch.  [default: 20]"
)
@click.option(
    "--batch-window", type=int, metavar="N", help="Most attempts that share a wave.  [default: 20000]"
)
@click.option(
    "--batch-poll", type=float, metavar="S", help="Seconds between looks at batches.  [default: 5 to 60]"
)
@click.option("--yes", flag_value=True, default=None, help="Do not ask before spending money.")
@click.option("--quiet", flag_value=True, default=None, help="Errors only.")
@click.option("--json", "as_json", is_flag=True, help="Print the final figures as one JSON object on stdout.")
def command(as_json: bool, **given: Any) -> None:
    """Evolve a pool over some epochs and merge all generations into one dataset.

    Every option is also an EVOLVE_* variable and a key of evolve.toml in the working directory. The same
    command again goes on with a run that was stopped, and a larger --epochs with one that is finished.

    \b
    Examples:
        evolve --pool alpaca52k.json --epochs 4
        evolve --pool seeds.jsonl --model openai:gpt-4.1-mini --max-cost 20
        evolve --pool code.json --preset wizardcoder --output code.parquet
    """
    from evolver.settings import load_settings

    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    _run(settings, as_json)


def _run(settings: Settings, as_json: bool) -> None:
    from evolver.cli.session import run_session

    run_session(settings, as_json=as_json)
