"""What all tests share."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.postgres_fixture", "tests.known_store"]

# A loaded machine is no failure: tests never depend on time passing.
settings.register_profile("evolver", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("evolver")


@pytest.fixture(autouse=True)
def _notes_of_ones_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what merges note of their outputs out of the home of whoever runs the tests."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))
