"""A note of what merges wrote, for the next one that is asked to write there.

A run keeps such a note in its own row of the store. A merge changes no store, so its notes are with the user's:
``$XDG_STATE_HOME/evolver/written.json``, or ``~/.local/state``. Without it a merge asks for ``--force`` where it need
not.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from evolver.merge.guard import digest_of, place_of
from evolver.merge.job import RunSource, Source

_MOST = 1_000  # notes that are kept, the newest


def owner_of(sources: Sequence[Source]) -> str:
    """Return the digest of what is merged: the same runs and files, whatever is done with them."""
    named = sorted(
        f"{source.engine.url.render_as_string(hide_password=True)} {source.run_name}"
        if isinstance(source, RunSource)
        else place_of(source.path)
        for source in sources
    )
    return sha256("\n".join(named).encode("utf-8", "surrogatepass")).hexdigest()


def noted(owner: str) -> dict[str, str]:
    """Return the digests of what this owner wrote, by place."""
    return {place: digest for place, (by, digest) in _read().items() if by == owner}


def note(owner: str, outputs: Iterable[Path]) -> None:
    """Keep that this owner wrote these; where it cannot be kept, it is not."""
    notes = _read()
    for output in outputs:
        place = place_of(output)
        notes.pop(place, None)
        notes[place] = (owner, digest_of(output))
    kept = dict(list(notes.items())[-_MOST:])
    file = _file()
    part = file.with_name(f".{secrets.token_hex(6)}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(kept), encoding="utf-8")
        part.replace(file)
    except OSError:
        part.unlink(missing_ok=True) if file.parent.is_dir() else None


def _file() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "evolver" / "written.json"


def _read() -> dict[str, tuple[str, str]]:
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
        return {str(place): (str(by), str(digest)) for place, (by, digest) in found.items()}
    except (OSError, RuntimeError, ValueError, AttributeError, TypeError):
        return {}
