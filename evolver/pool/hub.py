"""A dataset of the Hugging Face Hub as a pool, streamed: ``hf:OWNER/NAME[@REVISION][:SPLIT]``."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from evolver.pool.columns import Columns
from evolver.pool.objects import ObjectRows
from evolver.pool.record import Record
from evolver.pool.seeds import PoolReport
from evolver.pool.source import pool_error

_ADDRESS = re.compile(
    r"hf:([\w-][\w.-]{0,95}(?:/[\w-][\w.-]{0,95})?)(?:@([\w./-]{1,250}))?(?::(?:([\w.-]{1,100})/)?([\w.-]{1,100}))?",
    re.ASCII,
)
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Address:
    """What stands behind ``hf:``; without a revision the newest, without a split the only one, or ``train``."""

    name: str
    revision: str | None
    config: str | None
    split: str | None


def parse_address(said: str) -> Address:
    """Read ``hf:OWNER/NAME[@REVISION][:[CONFIG/]SPLIT]``.

    Raises:
        PoolError: It is none.
    """
    found = _ADDRESS.fullmatch(said)
    if found is None:
        raise pool_error(
            said,
            "is no dataset of the Hub",
            "Write hf:OWNER/NAME, hf:OWNER/NAME:SPLIT or hf:OWNER/NAME@REVISION:SPLIT.",
        )
    return Address(*found.groups())


class HubRows:
    """The rows of a dataset on the Hub, fetched as they are asked for and kept in a temporary file.

    The digest is that of name, commit, configuration and split: a commit never changes, so going on with a run fetches
    nothing but the commit's name, and not even that where the revision is one.

    Raises:
        PoolError: The address is none, or the packages are missing.
    """

    def __init__(self, said: str) -> None:
        self.name = said
        self._address = parse_address(said)
        self._commit: str | None = None
        self._kept: ObjectRows | None = None
        if find_spec("datasets") is None or find_spec("huggingface_hub") is None:
            raise pool_error(said, "needs the datasets package", "Install it: pip install 'evolver[hub]'.")

    def sha256(self) -> str:
        """Return the digest.

        Raises:
            PoolError: The Hub cannot be asked for the commit.
        """
        address = self._address
        parts = (address.name, self.commit(), address.config or "", address.split or "")
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def commit(self) -> str:
        """Return the commit that the revision stands for; asked for once.

        Raises:
            PoolError: The Hub cannot be asked, or knows no such dataset or revision.
        """
        if self._commit is None:
            revision = self._address.revision
            self._commit = revision if revision and _COMMIT.fullmatch(revision) else self._ask_for_commit()
        return self._commit

    def records(self, report: PoolReport, columns: Columns) -> Iterator[Record]:
        """Yield the rows; the report says which commit they are of.

        Raises:
            PoolError: The Hub cannot be reached, or refuses; there is no such split; a file cannot be read.
        """
        if self._kept is None:
            self._kept = ObjectRows(self._stream(), self.name)
        report.revision = self.commit()
        for record in self._kept.records(report, columns):
            report.format = report.format if " of " in report.format else "dataset on the Hub"
            yield record

    def _stream(self) -> Iterator[object]:
        import datasets  # two seconds, and few pools are streamed

        address, commit = self._address, self.commit()
        try:
            found = datasets.load_dataset(
                address.name,
                address.config,
                split=address.split,
                revision=commit,
                streaming=True,
                token=_token(),
            )
        except Exception as error:  # of datasets, fsspec, httpx, huggingface_hub, by version
            raise self._failed(error) from error
        if isinstance(found, dict):
            found = self._only(found)
        yield from found

    def _only(self, splits: dict[str, object]) -> object:
        chosen = splits.get("train") or (next(iter(splits.values())) if len(splits) == 1 else None)
        if chosen is None:
            names = ", ".join(splits)
            raise pool_error(
                self.name, f"has the splits {names}", f"Name one of them: {self.name}:{next(iter(splits))}."
            )
        return chosen

    def _ask_for_commit(self) -> str:
        from huggingface_hub import HfApi

        try:
            api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=_token())
            found = api.dataset_info(self._address.name, revision=self._address.revision, timeout=30).sha
        except Exception as error:  # as above
            raise self._failed(error) from error
        if not found:
            raise pool_error(self.name, "has no commit", "Look at the name and the revision.")
        return str(found)

    def _failed(self, error: Exception) -> Exception:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        why = (lines[0] if lines else type(error).__name__).rstrip(".")
        advice = "Look at name, revision and split, at the network, and for a private dataset at HF_TOKEN."
        return pool_error(self.name, f"cannot be fetched ({why[:300]})", advice)


def _token() -> str | bool:
    """Return the token of the environment; without one no other is looked for."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if token := os.environ.get(name, "").strip():
            return token
    return False
