"""Configurations with which programs that train read a dataset as it lies: TRL, Axolotl, LLaMA-Factory.

They are written beside the dataset and name it by its file name, so that both can be moved together. Keys and their
meaning are those of TRL 1.16, Axolotl 0.19 and LLaMA-Factory 0.9.5. How long and how fast is trained is what
arXiv:2306.08568 reports; the base model is the reader's to choose.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import yaml  # type: ignore[import-untyped]

from evolver.errors import SettingsError
from evolver.settings.choices import Format, Recipe
from evolver_templates import render

Keys = dict[str, Any]

BASE_MODEL = "Qwen/Qwen2.5-Coder-1.5B"
CONTEXT = 2048
_BATCH, _STEPS = 4, 16  # rows at once, and how often before the weights change: 64 rows on one processor
_RATE, _EPOCHS, _WARMUP = 2.0e-5, 3, 30

_JSON = (".json", ".jsonl")
_LOSS_OF_ALL = (
    "The loss is taken from the whole text. --format prompt-completion takes it from the response alone."
)


class _Set(NamedTuple):
    """A dataset as a configuration beside it names it; ``file`` is relative, a folder ends in no suffix."""

    file: str
    format: Format

    @property
    def kind(self) -> str:
        """What ``datasets`` calls the kind of file; empty for a folder, which says so itself."""
        suffix = Path(self.file).suffix.lower()
        return "json" if suffix in _JSON else suffix.removeprefix(".")

    @property
    def name(self) -> str:
        return Path(self.file).stem if self.kind else self.file


def recipe_outputs(recipe: Recipe | None, output: Path) -> tuple[Path, ...]:
    """Return the files that a recipe adds beside a dataset; none for ``None``."""
    if recipe is None:
        return ()
    named = output.with_name(f"{output.stem if output.suffix else output.name}.{recipe}.yaml")
    return (named, output.with_name("dataset_info.json")) if recipe == "llama-factory" else (named,)


def recipe_texts(recipe: Recipe | None, output: Path, format: Format) -> dict[Path, str]:
    """Return what :func:`recipe_outputs` hold, by file."""
    if recipe is None:
        return {}
    texts = _RECIPES[recipe].texts(_Set(output.name, format))
    return dict(zip(recipe_outputs(recipe, output), texts, strict=True))


def check_recipe(recipe: Recipe | None, format: Format) -> None:
    """Refuse a recipe for rows of a shape that its program has no reader for.

    Raises:
        SettingsError: It is so, or there is no such recipe.
    """
    if recipe is None:
        return
    if recipe not in _RECIPES:
        raise SettingsError(
            f"no recipe is named {recipe!r}; there are {', '.join(_RECIPES)}. Nothing was written."
        )
    readable = _RECIPES[recipe].formats
    if format not in readable:
        best, *others = readable
        raise SettingsError(
            f"{recipe} has no reader for rows of the format {format}; nothing was written. Say --format {best} "
            f"(or {', '.join(others)})."
        )


def _trl(made: _Set) -> tuple[str]:
    columns, keys, notes = _TRL_COLUMNS[made.format]
    source = {"path": made.kind, "data_files": made.file} if made.kind else {"path": f"./{made.file}"}
    config: Keys = {
        "model_name_or_path": BASE_MODEL,
        "datasets": [{**source, "split": "train", "columns": columns}],
        **keys,
        "max_length": CONTEXT,
        "output_dir": f"{made.name}-trl",
        "num_train_epochs": _EPOCHS,
        "per_device_train_batch_size": _BATCH,
        "gradient_accumulation_steps": _STEPS,
        "learning_rate": _RATE,
        "lr_scheduler_type": "cosine",
        "warmup_steps": _WARMUP,
        "bf16": True,
    }
    return (_yaml(config, f"trl sft --config {made.name}.trl.yaml", "TRL 1.16", *notes),)


def _axolotl(made: _Set) -> tuple[str]:
    source = {"path": made.file, "ds_type": made.kind} if made.kind else {"path": f"./{made.file}"}
    reader, notes = _AXOLOTL_READERS[made.format]
    config: Keys = {
        "base_model": BASE_MODEL,
        "datasets": [{**source, "split": "train", **reader()}],
        "train_on_inputs": False,
        "sequence_len": CONTEXT,
        "output_dir": f"{made.name}-axolotl",
        "num_epochs": _EPOCHS,
        "micro_batch_size": _BATCH,
        "gradient_accumulation_steps": _STEPS,
        "learning_rate": _RATE,
        "lr_scheduler": "cosine",
        "warmup_steps": _WARMUP,
        "optimizer": "adamw_torch",
        "bf16": "auto",
    }
    return (_yaml(config, f"axolotl train {made.name}.axolotl.yaml", "Axolotl 0.19", *notes),)


def _llama_factory(made: _Set) -> tuple[str, str]:
    about, keys, notes = _LLAMA_FACTORY[made.format]
    config: Keys = {
        "model_name_or_path": BASE_MODEL,
        "do_train": True,
        "finetuning_type": "full",
        "dataset_dir": ".",
        "dataset": made.name,
        **keys,
        "cutoff_len": CONTEXT,
        "output_dir": f"{made.name}-llama-factory",
        "num_train_epochs": _EPOCHS,
        "per_device_train_batch_size": _BATCH,
        "gradient_accumulation_steps": _STEPS,
        "learning_rate": _RATE,
        "lr_scheduler_type": "cosine",
        "warmup_steps": _WARMUP,
        "bf16": True,
    }
    # It looks at the files of a folder, so that the README of a Hugging Face dataset must not be among them.
    info = {made.name: {"file_name": made.file if made.kind else f"{made.file}/data", **about}}
    command = f"llamafactory-cli train {made.name}.llama-factory.yaml"
    return (
        _yaml(config, command, "LLaMA-Factory 0.9.5", *notes),
        json.dumps(info, ensure_ascii=False, indent=2) + "\n",
    )


def _yaml(config: Keys, command: str, program: str, *notes: str) -> str:
    lines = [f"In this folder: {command}", f"Checked with {program}. Put your own base model below.", *notes]
    head = "".join(f"# {line}\n" for line in lines)
    return head + str(yaml.dump(config, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Writes a text of several lines as they are read."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


# TRL renames the keys of ShareGPT's turns and leaves its roles, "human" and "gpt", which chat templates do not know.
_TRL_COLUMNS: Mapping[Format, tuple[list[str], Keys, tuple[str, ...]]] = MappingProxyType(
    {
        "prompt-completion": (["prompt", "completion"], {"completion_only_loss": True}, ()),
        "messages": (["messages"], {}, (_LOSS_OF_ALL,)),
        "text": (["text"], {"dataset_text_field": "text"}, (_LOSS_OF_ALL,)),
    }
)


def _wizardcoder() -> Keys:
    """Return the reader of ``{instruction, output}`` with WizardCoder's prompt, for Code Llama and StarCoder alike."""
    prompt = render("dataset/wizardcoder.jinja", instruction="{instruction}")
    fields = {"field_instruction": "instruction", "field_output": "output"}
    return {"type": {"system_prompt": "", **fields, "format": prompt, "no_input_format": prompt}}


def _chat(messages: str, role: str, content: str) -> Keys:
    return {
        "type": "chat_template",
        "field_messages": messages,
        "message_property_mappings": {"role": role, "content": content},
        "roles_to_train": ["assistant"],
    }


_AXOLOTL_READERS: Mapping[Format, tuple[Callable[[], Keys], tuple[str, ...]]] = MappingProxyType(
    {
        "wizardcoder": (_wizardcoder, ("The prompt is WizardCoder's, for Code Llama and StarCoder.",)),
        "messages": (lambda: _chat("messages", "role", "content"), ()),
        "alpaca": (lambda: {"type": "alpaca"}, ()),
        "sharegpt": (lambda: _chat("conversations", "from", "value"), ()),
        "text": (
            lambda: {"type": "completion", "field": "text"},
            ("The loss is taken from the whole text.",),
        ),
    }
)

_ALPACA = {"stage": "sft", "template": "alpaca"}
_OF_THE_MODEL = ("The template is that of the base model: name another one with another model.",)
_ROLES = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}

_LLAMA_FACTORY: Mapping[Format, tuple[Keys, Keys, tuple[str, ...]]] = MappingProxyType(
    {
        "wizardcoder": (
            {"formatting": "alpaca", "columns": {"prompt": "instruction", "response": "output"}},
            _ALPACA,
            (),
        ),
        "messages": (
            {"formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": _ROLES},
            {"stage": "sft", "template": "qwen"},
            _OF_THE_MODEL,
        ),
        "alpaca": (
            {
                "formatting": "alpaca",
                "columns": {"prompt": "instruction", "query": "input", "response": "output"},
            },
            _ALPACA,
            (),
        ),
        "sharegpt": (
            {"formatting": "sharegpt", "columns": {"messages": "conversations"}},
            {"stage": "sft", "template": "qwen"},
            _OF_THE_MODEL,
        ),
        "text": (
            {"columns": {"prompt": "text"}},
            {"stage": "pt"},
            ("The loss is taken from the whole text.",),
        ),
    }
)


class _Program(NamedTuple):
    """What is written for a program, and the formats it reads, the best one first."""

    texts: Callable[[_Set], tuple[str, ...]]
    formats: tuple[Format, ...]


_RECIPES: Mapping[Recipe, _Program] = MappingProxyType(
    {
        "trl": _Program(_trl, tuple(_TRL_COLUMNS)),
        "axolotl": _Program(_axolotl, tuple(_AXOLOTL_READERS)),
        "llama-factory": _Program(_llama_factory, tuple(_LLAMA_FACTORY)),
    }
)
