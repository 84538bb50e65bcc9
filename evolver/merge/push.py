"""Put a dataset folder on the Hugging Face hub, or on a server that speaks as it does (HF_ENDPOINT)."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path

from evolver.errors import OutputError, SettingsError
from evolver.merge.output import is_folder

_REPO = re.compile(r"[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}", re.ASCII)
_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


def check_push(repo: str, output: Path) -> None:
    """Refuse a push that cannot succeed, before anything is written.

    Raises:
        SettingsError: The output is no folder, the name no ``owner/name``, the token or the package missing.
    """
    if not is_folder(output):
        raise SettingsError(
            f"{output} is a file, and the hub takes the folder of a dataset; nothing was written. "
            "Give --output a name without an ending."
        )
    if find_spec("huggingface_hub") is None:
        raise SettingsError(
            "--push needs the huggingface_hub package; nothing was written. "
            "Install it: pip install 'evolver[hub]'"
        )
    if not _REPO.fullmatch(repo):
        raise SettingsError(f"{repo!r} is no name on the hub; nothing was written. Write --push OWNER/NAME.")
    _token()


def push(folder: Path, repo: str) -> str:
    """Upload a dataset folder in one commit and return its address; a repository that is new is private.

    The token is taken from the environment (``HF_TOKEN``) and nowhere else.

    Raises:
        SettingsError: There is no token.
        OutputError: The hub refused, or cannot be reached; the folder is as it was.
    """
    from huggingface_hub import HfApi  # half a second, and few merges are pushed

    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=_token())
    try:
        address = api.create_repo(repo, repo_type="dataset", private=True, exist_ok=True)
        api.upload_folder(
            repo_id=repo,
            repo_type="dataset",
            folder_path=folder,
            commit_message="Upload the dataset",
            delete_patterns="data/train-*.parquet",  # shards of a larger dataset that was there before
        )
    except Exception as error:  # the hub's client raises errors of httpx, httpx2 and hf_xet, by its version
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise OutputError(
            f"{repo} was not pushed ({reason}); the dataset is in {folder}. Look at the token's rights and the "
            f"network, then push it with 'hf upload --repo-type dataset {repo} {folder}'."
        ) from error
    return str(address)


def _token() -> str:
    for name in _TOKENS:
        if token := os.environ.get(name, "").strip():
            return token
    raise SettingsError(
        "--push needs a token of the hub in HF_TOKEN; nothing was written. Make one with write access at "
        "https://huggingface.co/settings/tokens and export it."
    )
