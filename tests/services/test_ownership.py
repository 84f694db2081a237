"""Which process works on a call."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from app.services.ownership import is_gone, new_owner

ROOT = Path(__file__).resolve().parents[2]


def test_names_are_never_the_same_twice() -> None:
    assert new_owner() != new_owner()


def test_this_process_lives() -> None:
    assert not is_gone(new_owner())


def test_a_process_that_has_ended_is_gone() -> None:
    program = "from app.services.ownership import new_owner; print(new_owner())"
    owner = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert is_gone(owner)


def test_nothing_is_said_of_other_machines_or_odd_names() -> None:
    machine, _, rest = new_owner().partition("/")
    assert not is_gone(f"{machine}-other/{rest}")
    assert not is_gone("")
    assert not is_gone("nonsense")
