"""Secrets go in by every door, and are found in nothing that is left behind."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from scripts.hunt_secrets import DOORS, Hunt, hunt_through
from scripts.secret_forms import FORMS, Secret, drawn, found_in

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_no_secret_is_found_whatever_door_it_came_in_by(door: Callable[[Hunt], None]) -> None:
    sent, found = hunt_through(door, seed=7)
    assert sent > 1
    assert dict(found) == {}


@pytest.mark.parametrize("form", FORMS)
def test_the_hunt_finds_what_is_there_in_every_form(form: str) -> None:
    secrets = [Secret(drawn(Random(number)), str(number)) for number in range(20)]
    for secret in secrets:
        content = f"... {FORMS[form](secret.value)} ...".encode()
        assert found_in(content, secrets) == [secret]


def test_less_than_twelve_signs_are_not_found() -> None:
    secret = Secret("sk-abcdefghijklmnopqrst0", "x")
    assert found_in(b"... ABCDEFGHIJKL ...", [secret]) == [secret]
    assert found_in(b"... abcdefghijk, and no more ...", [secret]) == []
