"""What all tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.postgres_fixture", "tests.known_store"]

# A loaded machine is no failure: tests never depend on time passing.
settings.register_profile("evolver", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("evolver")
