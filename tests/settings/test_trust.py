"""The settings file of a folder that somebody else made: what of it counts, what is told of it, and trust."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from evolver.cli.main import main
from evolver.errors import SettingsError
from evolver.settings import load_settings
from evolver.settings.trust import config_folder, trusted_files

EVOLVE = Path(sys.executable).with_name("evolve")
TRUSTED = "trusted.json"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of somebody else's, with a user's own configuration folder elsewhere."""
    for name in [name for name in os.environ if name.startswith("EVOLVE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    (tmp_path / "cloned").mkdir()
    monkeypatch.chdir(tmp_path / "cloned")
    return tmp_path / "cloned"


def write(folder: Path, content: str) -> Path:
    file = folder / "evolve.toml"
    file.write_text(content, encoding="utf-8")
    return file


RISKY = [
    ('base_url = "http://evil.example/v1"', "base_url", "--base-url http://evil.example/v1"),
    ('mutators = ["helper.py:Steal"]', "mutators", "--mutators helper.py:Steal"),
    ('mutators = "wizardlm,helper.py:Steal=2"', "mutators", "--mutators wizardlm,helper.py:Steal=2"),
    ('mutators = ["helper.jinja"]', "mutators", "--mutators helper.jinja"),
    ('rules = ["os:system"]', "rules", "--rules os:system"),
    ("yes = true", "yes", "--yes"),
    ("price_in = 0.0", "price_in", "--price-in 0.0"),
    ("price_out = 0.0", "price_out", "--price-out 0.0"),
    ("max_cost = 1000", "max_cost", "--max-cost 1000"),
    ('store = "postgresql://evil.example/x"', "store", "--store postgresql://evil.example/x"),
    ('store = "../elsewhere.db"', "store", "--store ../elsewhere.db"),
    ('store = "sqlite:////tmp/elsewhere.db"', "store", "--store sqlite:////tmp/elsewhere.db"),
    ('pool = "/etc/passwd"', "pool", "--pool /etc/passwd"),
    ('pool = "../private.json"', "pool", "--pool ../private.json"),
    ('pool = "~/private.json"', "pool", "--pool '~/private.json'"),
    ('pool = "hf:somebody/private"', "pool", "--pool hf:somebody/private"),
    ('output = "../spilled.jsonl"', "output", "--output ../spilled.jsonl"),
]


@pytest.mark.parametrize(("line", "name", "instead"), RISKY, ids=[line for line, _, _ in RISKY])
def test_what_sends_executes_pays_or_leaves_the_folder_counts_only_from_a_trusted_file(
    folder: Path, line: str, name: str, instead: str
) -> None:
    file = write(folder, line + "\n")
    given = {} if name == "pool" else {"pool": "x.json"}
    with pytest.raises(SettingsError) as refused:
        load_settings(None, **given)
    assert refused.value.exit_code == 1
    assert f"evolve.toml is not trusted, and it sets {name}," in str(refused.value)
    assert instead in str(refused.value)
    assert "evolve trust evolve.toml" in str(refused.value)
    assert CliRunner().invoke(main, ["trust"]).exit_code == 0
    load_settings(None, **given)
    load_settings(file, **given)


def test_the_same_file_named_by_hand_is_trusted(folder: Path) -> None:
    file = write(folder, 'base_url = "http://localhost:8000/v1"\n')
    assert load_settings(file, pool="x").base_url == ("http://localhost:8000/v1",)
    assert trusted_files() == []


def test_what_an_option_or_a_variable_says_instead_is_not_taken_from_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, 'base_url = "http://evil.example/v1"\nstore = "postgresql://evil.example/x"\n')
    monkeypatch.setenv("EVOLVE_STORE", "mine.db")
    settings = load_settings(pool="x", base_url="http://localhost:8000/v1")
    assert (settings.base_url, settings.store) == (("http://localhost:8000/v1",), "mine.db")


def test_harmless_settings_count_without_trust_and_are_told_of(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, 'pool = "pool.json"\nepochs = 2\nmutators = ["wizardlm", "deepen=2"]\nquiet = true\n')
    settings = load_settings(epochs="3")
    assert (settings.pool, settings.epochs, settings.mutators) == ("pool.json", 3, ("wizardlm", "deepen=2"))
    said = capsys.readouterr().err
    assert said == "From evolve.toml: pool = pool.json, mutators = wizardlm,deepen=2, quiet = True\n"


def test_what_is_told_of_a_file_is_harmless_to_a_terminal_and_holds_no_password(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(folder, 'run = "\\u001b]52;c;eA==\\u0007"\nstore = "postgresql://me:secret@host/db"\n')
    load_settings(file, pool="x")
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "secret" not in said
    with pytest.raises(SettingsError) as refused:
        load_settings(pool="x")
    assert "secret" not in str(refused.value)


def test_a_link_that_leads_out_of_the_folder_is_outside(folder: Path) -> None:
    (folder.parent / "private.json").write_text("[]")
    (folder / "pool.json").symlink_to(folder.parent / "private.json")
    write(folder, 'pool = "pool.json"\n')
    with pytest.raises(SettingsError, match="it sets pool"):
        load_settings()


def test_a_change_to_a_trusted_file_ends_the_trust(folder: Path) -> None:
    write(folder, 'base_url = "http://localhost:8000/v1"\n')
    CliRunner().invoke(main, ["trust"])
    load_settings(pool="x")
    write(folder, 'base_url = "http://localhost:8001/v1"\n')
    with pytest.raises(SettingsError, match="not trusted"):
        load_settings(pool="x")


def test_a_copy_of_a_trusted_file_in_another_folder_is_not_trusted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = 'mutators = ["helper.py:Mine"]\n'
    write(folder, content)
    CliRunner().invoke(main, ["trust"])
    (folder / "inner").mkdir()
    write(folder / "inner", content)
    monkeypatch.chdir(folder / "inner")
    with pytest.raises(SettingsError, match="not trusted"):
        load_settings(pool="x")


def test_trust_is_listed_and_taken_back(folder: Path) -> None:
    file = write(folder, "yes = true\n")
    assert "yes = True" in CliRunner().invoke(main, ["trust", "evolve.toml"]).stderr
    listed = CliRunner().invoke(main, ["trust", "--list"]).stdout
    assert listed.startswith(f"{file}\ttrusted\tsha256:")
    file.write_text("yes = false\n")
    assert "changed since, not trusted" in CliRunner().invoke(main, ["trust", "--list"]).stdout
    assert CliRunner().invoke(main, ["trust", "--remove"]).exit_code == 0
    assert CliRunner().invoke(main, ["trust", "--list"]).stdout == ""
    again = CliRunner().invoke(main, ["trust", "--remove"])
    assert "was not trusted" in str(again.exception)


def test_the_list_of_trusted_files_is_its_users_alone(folder: Path) -> None:
    write(folder, "yes = true\n")
    CliRunner().invoke(main, ["trust"])
    kept = config_folder() / TRUSTED
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.chmod(0o666)
    with pytest.raises(SettingsError, match="others may have written it"):
        load_settings(pool="x")


@pytest.mark.parametrize("content", ["[]", "{", '"x"'])
def test_a_list_of_trusted_files_that_cannot_be_read_trusts_nothing(folder: Path, content: str) -> None:
    write(folder, "yes = true\n")
    CliRunner().invoke(main, ["trust"])
    (config_folder() / TRUSTED).write_text(content)
    with pytest.raises(SettingsError, match="cannot be taken"):
        load_settings(pool="x")


def test_a_folder_without_a_settings_file_needs_no_list(folder: Path) -> None:
    load_settings(pool="x")
    assert not config_folder().exists()


READERS = [
    ["run", "--pool", "x", "--quiet"],
    ["estimate", "--pool", "x", "--json"],
    ["stats"],
    ["runs", "--json"],
    ["lineage", "1"],
    ["diff", "1"],
    ["sql", "SELECT 1"],
    ["merge"],
    ["batches"],
]


@pytest.mark.parametrize("command", READERS, ids=lambda command: command[0])
def test_no_command_opens_the_server_that_a_folder_names(folder: Path, command: list[str]) -> None:
    write(folder, 'store = "postgresql://127.0.0.1:9/x"\n')
    done = CliRunner().invoke(main, command)
    assert isinstance(done.exception, SettingsError)
    assert "it sets store," in str(done.exception)


@pytest.mark.parametrize("command", READERS[2:], ids=lambda command: command[0])
def test_every_command_tells_of_the_store_that_a_folder_names(folder: Path, command: list[str]) -> None:
    write(folder, 'store = "theirs.db"\n')
    assert "From evolve.toml: store = theirs.db\n" in CliRunner().invoke(main, command).stderr


def test_a_hostile_folder_runs_and_sends_nothing(folder: Path) -> None:
    (folder / "pool.json").write_text('["Name a river."]')
    (folder / "helper.py").write_text('open("pwned", "w").close()\nclass Steal: pass\n')
    write(folder, 'pool = "pool.json"\nmutators = ["helper.py:Steal"]\nyes = true\nquiet = true\n')
    for command in (["estimate"], ["run"], []):
        done = subprocess.run(
            [str(EVOLVE), *(command or ["--epochs", "1"])], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "it sets mutators, yes," in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["evolve.toml", "helper.py", "pool.json"]
