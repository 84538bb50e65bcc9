"""Look for known weaknesses: in the code with bandit, in what is installed with pip-audit.

pip-audit asks PyPI's database. Where that cannot be asked, that is said and no failure, as the code was looked at all
the same; with ``--online`` it is one, which is how continuous integration asks.

What is accepted stands here and in pyproject.toml, each with its reason. An acceptance that nothing needs is an error.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CODE = ("evolver", "mutators", "offline", "store", "templates")

IN_THE_CODE = {
    (
        "evolver/loading.py",
        "B102",
    ): "runs the file of Python that its user named as a mutator, which is what it is for",
    ("evolver/models/keys.py", "B104"): "compares an address with it; nothing is bound",
    ("offline/evolver_offline/blocks.py", "B608"): "writes a sample program as text; nothing runs it",
    ("store/evolver_store/odd_values.py", "B608"): "puts in names of tables and columns of our own schema",
    ("store/evolver_store/query.py", "B608"): "puts in names of functions from a tuple of our own",
    ("store/evolver_store/spool.py", "B301"): "reads back what it wrote itself, from a file that has no name",
    ("store/evolver_store/spool.py", "B403"): "the same",
    ("templates/evolver_templates/rendering.py", "B701"): "makes prompts, which are plain text and no HTML",
}
"""What bandit finds and need not be mended: the file, bandit's id, and why."""

IN_PACKAGES: dict[str, str] = {}
"""Weaknesses that are known and do not reach evolver's users: their id, and why they do not."""


def code_is_sound() -> bool:
    """Look at the code; tell whether nothing was found but what is accepted."""
    command = [sys.executable, "-m", "bandit", "-q", "-f", "json", "-c", "pyproject.toml", "-r", *CODE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        results = json.loads(done.stdout)["results"]
    except (ValueError, KeyError):
        print(f"bandit could not look at the code: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return False
    found = [((Path(one["filename"]).as_posix().removeprefix("./"), one["test_id"]), one) for one in results]
    new = [one for place, one in found if place not in IN_THE_CODE]
    for one in new:
        print(
            f"{one['filename']}:{one['line_number']}: {one['test_id']} {one['issue_text']}", file=sys.stderr
        )
    unneeded = IN_THE_CODE.keys() - {place for place, _ in found}
    for file, name in sorted(unneeded):
        print(
            f"{file}: {name} is accepted and no longer found; take it from scripts/audit.py", file=sys.stderr
        )
    print(f"bandit: {len(new)} weaknesses found, {len(found) - len(new)} accepted", file=sys.stderr)
    return not new and not unneeded


def packages_are_sound(*, online: bool) -> bool:
    """Ask about every installed package; tell whether no weakness is known and, if ``online``, all could be asked."""
    accepted = [word for name in IN_PACKAGES for word in ("--ignore-vuln", name)]
    where = ["--path", sysconfig.get_path("purelib"), "--skip-editable"]
    command = [sys.executable, "-m", "pip_audit", "-f", "json", "--progress-spinner=off", *where, *accepted]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(f"pip-audit could not ask about the packages: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return not online
    known = [(one, weak) for one in packages for weak in one.get("vulns", ())]
    for one, weak in known:
        mended = ", ".join(weak["fix_versions"]) or "no version"
        print(f"{one['name']} {one['version']}: {weak['id']}, mended in {mended}", file=sys.stderr)
    unasked = [one["name"] for one in packages if "skip_reason" in one and one["name"] != "evolver"]
    if unasked:
        print(f"the database knew nothing of {len(unasked)} of {len(packages)} packages", file=sys.stderr)
    print(
        f"{len(packages) - len(unasked)} packages asked about, {len(known)} weaknesses known", file=sys.stderr
    )
    return not known and not (online and unasked)


def main() -> int:
    code = code_is_sound()
    packages = packages_are_sound(online="--online" in sys.argv[1:])
    return 0 if code and packages else 1


if __name__ == "__main__":
    sys.exit(main())
