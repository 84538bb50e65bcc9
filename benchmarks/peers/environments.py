"""An environment for each tool that evolver is compared with, made when it is first needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import ROOT

FOLDER = ROOT / "build" / "bench-peers"
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


class UnavailableError(RuntimeError):
    """A tool could not be installed here; its row is left out of the tables, and the reason put in."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool, what pip calls it, and the script that evolves a pool with it."""

    name: str
    packages: tuple[str, ...]
    script: Path


PEERS = (
    # requests: distilabel 1.5.3 imports it without asking for it
    Peer(
        "distilabel",
        ("distilabel[openai]==1.5.3", "requests"),
        ROOT / "benchmarks/peers/distilabel_evolve.py",
    ),
    Peer("curator", ("bespokelabs-curator==0.1.31",), ROOT / "benchmarks/peers/curator_evolve.py"),
)


def interpreter(peer: Peer) -> Path:
    """Return the Python of the tool's environment, which is made with uv or venv and pip if it is not there.

    Raises:
        UnavailableError: It cannot be installed.
    """
    version = "-".join(part.partition("==")[2] for part in peer.packages if "==" in part)
    home = FOLDER / f"{peer.name}-{version}"
    python, stamp = home / "bin" / "python", home / ".complete"
    if not stamp.exists():
        shutil.rmtree(home, ignore_errors=True)
        home.parent.mkdir(parents=True, exist_ok=True)
        for command in _commands(home, python, peer.packages):
            _install(command, peer.name)
        stamp.touch()
    return python


def environment(python: Path, folder: Path) -> Mapping[str, str]:
    """Return variables that keep a tool's caches in ``folder``, its statistics at home and its display quiet."""
    vocabularies = python.parents[1].glob("lib/python*/site-packages/litellm/litellm_core_utils/tokenizers")
    return {
        "HOME": str(folder),
        "HF_HOME": str(folder / "huggingface"),
        "HF_HUB_OFFLINE": "1",
        "OPENAI_API_KEY": "sk-simulated",
        "TELEMETRY_ENABLED": "false",
        "DISTILABEL_DISABLE_TELEMETRY": "1",
        "CURATOR_CACHE_DIR": str(folder / "curator"),
        "CURATOR_DISABLE_RICH_DISPLAY": "1",
        # curator counts tokens with a vocabulary that it would fetch, although it comes with one of its own packages
        "TIKTOKEN_CACHE_DIR": str(next(vocabularies, folder)),
    }


def _commands(home: Path, python: Path, packages: tuple[str, ...]) -> list[list[str]]:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if shutil.which("uv"):
        make = ["uv", "venv", "--quiet", "--python", version, str(home)]
        return [make, ["uv", "pip", "install", "--quiet", "--python", str(python), *packages]]
    make = [sys.executable, "-m", "venv", str(home)]
    return [make, [str(python), "-m", "pip", "install", "--quiet", *packages]]


def _install(command: list[str], name: str) -> None:
    certificates = {"UV_SYSTEM_CERTS": "true"} if Path(_CERTIFICATES).exists() else {}
    done = subprocess.run(
        command, env={**os.environ, **certificates}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise UnavailableError(f"{name} could not be installed: {said[-1] if said else done.returncode}")
