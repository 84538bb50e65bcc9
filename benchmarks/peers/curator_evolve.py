"""Evol-Instruct written with bespokelabs-curator; runs in curator's own environment.

Curator has no Evol-Instruct of its own, so this is what a user would write: one pass over the data for each epoch, and
one for all answers. Usage: as distilabel_evolve.py.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

from bespokelabs import curator  # type: ignore[import-not-found]

METHODS = (
    "Add one more constraint or requirement.",
    "Ask for more depth and breadth.",
    "Replace general concepts by more specific ones.",
    "Ask explicitly for several steps of reasoning.",
)
PROMPT = "Rewrite the prompt below into a harder one. {method}\n\n#Given Prompt#:\n{instruction}\n\n#Rewritten Prompt#:"


class Evolve(curator.LLM):  # type: ignore[misc]
    """One generation."""

    def prompt(self, input: dict[str, Any]) -> str:
        """Ask for a harder instruction; the method follows from the text, so that a rerun asks the same."""
        method = random.Random(input["instruction"]).choice(METHODS)
        return PROMPT.format(method=method, instruction=input["instruction"])

    def parse(self, input: dict[str, Any], response: str) -> dict[str, Any]:
        """Take the answer as the new instruction."""
        return {"instruction": response.split("Prompt#:")[-1].strip()}


class Answer(curator.LLM):  # type: ignore[misc]
    """The responses."""

    def prompt(self, input: dict[str, Any]) -> str:
        """Ask the instruction itself."""
        return str(input["instruction"])

    def parse(self, input: dict[str, Any], response: str) -> dict[str, Any]:
        """Keep both."""
        return {"instruction": input["instruction"], "output": response}


def main() -> None:
    """Evolve the pool and print how many whole rows came out."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    seeds = json.loads(Path(given["pool"]).read_text(encoding="utf-8"))
    texts = [
        f"{row['instruction']}\n{row['input']}" if row.get("input") else row["instruction"] for row in seeds
    ]
    options: dict[str, Any] = {
        "model_name": "sim",
        "backend": "openai",
        "generation_params": {"temperature": 1.0, "top_p": 0.9, "max_tokens": 2048},
        "backend_params": {
            "base_url": given["base_url"],
            "api_key": "sk-simulated",
            "max_concurrent_requests": given["concurrency"],
            "max_requests_per_minute": 10_000_000,
            "max_tokens_per_minute": 10_000_000_000,
            "require_all_responses": False,
        },
    }
    evolve, answer = Evolve(**options), Answer(**options)
    current: list[dict[str, Any]] = [{"instruction": text} for text in texts]
    grown: list[dict[str, Any]] = []
    for _ in range(given["epochs"]):
        current = [
            {"instruction": row["instruction"]}
            for row in evolve(current, working_dir=given["folder"]).dataset
        ]
        grown += current
    rows = answer(grown, working_dir=given["folder"]).dataset
    print(json.dumps({"rows": sum(bool(row["instruction"]) and bool(row["output"]) for row in rows)}))


if __name__ == "__main__":
    main()
