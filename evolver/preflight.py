"""What is looked at before anything is spent or written."""

from __future__ import annotations

from pathlib import Path

from evolver.errors import SettingsError
from evolver.merge.output import check_output
from evolver.settings import Settings
from evolver_store.connect import store_url


def check_files(settings: Settings) -> None:
    """Refuse an output that cannot be written, or that would replace the pool or the store.

    Raises:
        OutputError: It cannot be written.
        SettingsError: It is the pool or the store.
        StoreError: The store's address is none.
    """
    if settings.output is None:
        return
    output = Path(settings.output)
    check_output(output)
    for flag, name in (("--pool", settings.pool), ("--store", store_url(settings.store).database)):
        if name is not None and _is_same(output, Path(name)):
            raise SettingsError(
                f"--output {output} would overwrite the file of {flag}; nothing was started. "
                "Name another file with --output."
            )


def _is_same(one: Path, other: Path) -> bool:
    return one.absolute() == other.absolute() or (one.exists() and other.exists() and one.samefile(other))
