"""What continuous integration may do, and whose code it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

WORKFLOWS = sorted((Path(__file__).parents[2] / ".github" / "workflows").glob("*.yml"))

# Who may do more than read: the job, and what it may write.
MAY_WRITE = {"publish": {"id-token", "attestations"}, "announce": {"contents"}}

pytestmark = pytest.mark.skipif(not WORKFLOWS, reason="an sdist carries no workflows")


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every job of every workflow with its name."""
    for workflow in WORKFLOWS:
        yield from yaml.safe_load(workflow.read_text("utf-8"))["jobs"].items()


def steps() -> Iterator[dict[str, Any]]:
    """Yield every step of every job."""
    for _, job in jobs():
        yield from job["steps"]


def test_every_action_is_named_by_the_digest_of_its_commit() -> None:
    named = [step["uses"] for step in steps() if "uses" in step]

    assert named
    assert [one for one in named if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", one)] == []


def test_an_action_is_the_same_commit_wherever_it_is_used() -> None:
    named = {step["uses"] for step in steps() if "uses" in step}

    assert len({one.partition("@")[0] for one in named}) == len(named)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_only_read(workflow: Path) -> None:
    assert yaml.safe_load(workflow.read_text("utf-8"))["permissions"] == {"contents": "read"}


def test_a_job_writes_only_what_it_is_there_to_write() -> None:
    granted = {
        name: {right for right, how in job["permissions"].items() if how == "write"}
        for name, job in jobs()
        if "permissions" in job
    }

    assert granted == MAY_WRITE


def test_the_token_is_not_left_in_the_checkout() -> None:
    checkouts = [step for step in steps() if step.get("uses", "").startswith("actions/checkout@")]

    assert [step for step in checkouts if step.get("with", {}).get("persist-credentials") is not False] == []


def test_no_command_is_put_together_from_what_others_name() -> None:
    """Names of branches, tags and titles come in as variables, never as text of a shell command."""
    assert [step["run"] for step in steps() if "run" in step and "${{" in step["run"]] == []
