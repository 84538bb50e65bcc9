"""distilabel's EvolInstruct over a pool, as its documentation shows it; runs in distilabel's own environment.

Usage: python distilabel_evolve.py '{"pool": …, "base_url": …, "epochs": …, "concurrency": …, "folder": …}'
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from distilabel.models import OpenAILLM  # type: ignore[import-not-found]
from distilabel.pipeline import Pipeline  # type: ignore[import-not-found]
from distilabel.steps import LoadDataFromDicts  # type: ignore[import-not-found]
from distilabel.steps.tasks import EvolInstruct  # type: ignore[import-not-found]


def main() -> None:
    """Evolve the pool and print how many whole rows came out of how many."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    seeds = json.loads(Path(given["pool"]).read_text(encoding="utf-8"))
    texts = [
        f"{row['instruction']}\n{row['input']}" if row.get("input") else row["instruction"] for row in seeds
    ]
    with Pipeline(name="evolve", cache_dir=given["folder"]) as pipeline:
        load = LoadDataFromDicts(
            data=[{"instruction": text} for text in texts], batch_size=given["concurrency"]
        )
        evolve = EvolInstruct(
            llm=OpenAILLM(
                model="sim",
                base_url=given["base_url"],
                api_key="sk-simulated",
                generation_kwargs={"max_new_tokens": 2048, "temperature": 1.0, "top_p": 0.9},
            ),
            num_evolutions=given["epochs"],
            store_evolutions=True,
            generate_answers=True,
            input_batch_size=given["concurrency"],
        )
        load >> evolve
    rows = list(pipeline.run(use_cache=True)["default"]["train"])
    whole = 0
    for row in rows:
        pairs = zip(row["evolved_instructions"] or [], row["answers"] or [], strict=False)
        whole += sum(bool(instruction) and bool(answer) for instruction, answer in pairs)
    print(json.dumps({"rows": whole}))


if __name__ == "__main__":
    main()
