"""A lock by name: one holder at a time among threads and processes, and no file left."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.core.file_lock import held_lock

ROOT = Path(__file__).resolve().parents[3]
HOLD = """
import sys, time
from pathlib import Path
from app.core.file_lock import held_lock
with held_lock(Path(sys.argv[1]), 0) as mine:
    print(mine, flush=True)
    time.sleep(600)
"""
COUNT = """
import sys
from pathlib import Path
from app.core.file_lock import held_lock
lock, counter = map(Path, sys.argv[1:])
for _ in range(50):
    with held_lock(lock, 60) as mine:
        assert mine
        counter.write_text(str(int(counter.read_text()) + 1))
"""


def test_it_is_held_by_one_at_a_time_and_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with held_lock(path, 0) as first:
        with held_lock(path, 0.05) as second:
            assert (first, second) == (True, False)
        assert path.stat().st_mode & 0o777 == 0o600
        with held_lock(tmp_path / "b.lock", 0) as other:
            assert other
    assert list(tmp_path.iterdir()) == []
    with held_lock(path, 0) as again:
        assert again


def test_threads_never_hold_it_together(tmp_path: Path) -> None:
    inside: list[int] = []

    def enter(_number: int) -> bool:
        with held_lock(tmp_path / "a.lock", 60) as mine:
            inside.append(1)
            seen = len(inside)
            time.sleep(0.001)
            inside.pop()
            return mine and seen == 1

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(enter, range(100)))
    assert list(tmp_path.iterdir()) == []


def test_processes_never_hold_it_together(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    command = [sys.executable, "-c", COUNT, str(tmp_path / "a.lock"), str(counter)]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]
    assert [process.wait() for process in processes] == [0, 0, 0, 0]
    assert counter.read_text() == "200"


def test_a_killed_process_lets_go_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"True\n"
        with held_lock(path, 0) as mine:
            assert not mine
        process.kill()
    with held_lock(path, 0) as mine:
        assert mine


def test_a_folder_that_is_not_there_gives_no_lock(tmp_path: Path) -> None:
    with held_lock(tmp_path / "gone" / "a.lock", 60) as mine:
        assert not mine
