"""Notes of recordings that belong to no call yet: they outlive a kill, and nothing else does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.exceptions import InsufficientStorage
from app.storage.intents import Intents, intents_of
from tests.settings import make_settings

ROOT = Path(__file__).parents[2]


def killed_after(folder: Path, *statements: str) -> None:
    """A process that makes notes in ``folder`` and is killed."""
    program = [
        "import os, signal",
        "from pathlib import Path",
        "from app.storage.intents import Intents",
        f"intents = Intents(Path({str(folder)!r}))",
        *statements,
        "os.kill(os.getpid(), signal.SIGKILL)",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(program)], check=False, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL


def test_notes_of_a_killed_process_are_found_once(tmp_path: Path) -> None:
    killed_after(tmp_path, "intents.note('k' * 900, 'CALL-1')", "intents.note('b', 'CALL-2')")
    killed_after(tmp_path, "intents.note('c', 'CALL-3')", "intents.drop('c')", "intents.note('d', 'CALL-4')")
    found = list(Intents(tmp_path).abandoned())
    assert sorted(found, key=len) == [{"d": "CALL-4"}, {"k" * 900: "CALL-1", "b": "CALL-2"}]
    assert list(Intents(tmp_path).abandoned()) == []
    assert list(tmp_path.iterdir()) == []


def test_notes_stay_until_whoever_reads_them_is_done(tmp_path: Path) -> None:
    killed_after(tmp_path, "intents.note('a', 'CALL-1')")
    notes = Intents(tmp_path).abandoned()
    assert next(notes) == {"a": "CALL-1"}
    notes.close()
    assert list(Intents(tmp_path).abandoned()) == [{"a": "CALL-1"}]


def test_a_longer_text_that_was_half_replaced_says_the_new_thing(tmp_path: Path) -> None:
    (tmp_path / "left").write_bytes(b'{"a": "CALL-1"}\n"b": "CALL-2"}\n')
    assert list(Intents(tmp_path).abandoned()) == [{"a": "CALL-1"}]


@pytest.mark.parametrize("text", [b"", b"{", b"[1]\n", b"\xff\n"])
def test_what_says_nothing_is_forgotten(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "left").write_bytes(text)
    assert list(Intents(tmp_path).abandoned()) == [{}]
    assert list(tmp_path.iterdir()) == []


def test_notes_of_living_processes_are_theirs(tmp_path: Path) -> None:
    mine, other = Intents(tmp_path), Intents(tmp_path)
    mine.note("a", "CALL-1")
    assert list(other.abandoned()) == []
    assert list(mine.abandoned()) == []
    mine.drop("a")
    mine.close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_still_noted_at_the_end_is_left_for_the_next(tmp_path: Path) -> None:
    mine = Intents(tmp_path)
    mine.note("a", "CALL-1")
    mine.close()
    assert list(Intents(tmp_path).abandoned()) == [{"a": "CALL-1"}]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_without_room_there_is_no_note_and_an_old_one_does_no_harm(tmp_path: Path) -> None:
    intents = Intents(tmp_path)
    intents.note("a", "CALL-1")
    (path,) = tmp_path.iterdir()
    full = os.open("/dev/full", os.O_RDWR)
    assert intents._file is not None
    os.dup2(full, intents._file.fileno())
    os.close(full)
    with pytest.raises(InsufficientStorage):
        intents.note("b", "CALL-2")
    intents.drop("a")
    intents.close()
    assert path.read_bytes() == b'{"a": "CALL-1"}\n'


def test_each_installation_has_notes_of_its_own(tmp_path: Path) -> None:
    one, two = (make_settings(tmp_path, database_url=f"sqlite:///{tmp_path}/{name}.db") for name in "ab")
    intents = intents_of(one)
    intents.note("a", "CALL-1")
    intents.close()
    assert list(intents_of(two).abandoned()) == []
    assert list(intents_of(one).abandoned()) == [{"a": "CALL-1"}]
