"""Each limit of a guarded run, tripped alone, by programs that do nothing else."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.exceptions import StageFailed
from app.services.audio.guarded_process import HEAD_BYTES, TAIL_BYTES, Finished, Limit, RunLimits, run_guarded

MB = 1024 * 1024
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")


def make_limits(
    wall_s: float = 30, cpu_s: int = 30, memory_bytes: int = 1024 * MB, output_bytes: int = 8 * MB
) -> RunLimits:
    return RunLimits(wall_s, cpu_s, memory_bytes, output_bytes)


def run_python(code: str, folder: Path, limits: RunLimits | None = None) -> Finished:
    return run_guarded([sys.executable, "-I", "-S", "-c", code], folder, limits or make_limits())


def eventually(true: Callable[[], bool]) -> bool:
    return any(true() or time.sleep(0.05) for _ in range(200))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_good_run(tmp_path: Path) -> None:
    finished = run_python("import sys; open('made', 'w').write('x'); sys.stderr.write('well')", tmp_path)

    assert finished == Finished(0, "well", None)
    assert (tmp_path / "made").read_text() == "x"


def test_an_exit_code_is_no_limit(tmp_path: Path) -> None:
    assert run_python("raise SystemExit(3)", tmp_path) == Finished(3, "", None)


def test_wall_time(tmp_path: Path) -> None:
    finished = run_python("import time; time.sleep(600)", tmp_path, make_limits(wall_s=0.5))

    assert finished.tripped is Limit.WALL


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_wall_time_ends_the_children_too_and_leaves_no_zombie(tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "child = os.fork()\n"
        "if child: open('pids', 'w').write(f'{os.getpid()} {child}')\n"
        "else: os.close(2)\n"
        "time.sleep(600)\n"
    )

    finished = run_python(code, tmp_path, make_limits(wall_s=3))

    assert finished.tripped is Limit.WALL
    parent, child = (int(pid) for pid in (tmp_path / "pids").read_text().split())
    assert not Path(f"/proc/{parent}").exists()
    assert eventually(lambda: not is_running(child))


def test_wall_time_of_a_program_that_falls_silent(tmp_path: Path) -> None:
    code = "import os, time; os.write(2, b'bye'); os.close(2); time.sleep(600)"

    assert run_python(code, tmp_path, make_limits(wall_s=0.5)).tripped is Limit.WALL


def test_cpu_time(tmp_path: Path) -> None:
    assert run_python("while True: pass", tmp_path, make_limits(cpu_s=1)).tripped is Limit.CPU


@linux_only
def test_memory(tmp_path: Path) -> None:
    finished = run_python("x = bytearray(900_000_000)", tmp_path, make_limits(memory_bytes=300 * MB))

    assert finished.tripped is Limit.MEMORY


def test_output_size(tmp_path: Path) -> None:
    code = "f = open('big', 'wb')\nwhile True: f.write(bytes(100_000))"

    finished = run_python(code, tmp_path, make_limits(output_bytes=MB))

    assert finished.tripped is Limit.OUTPUT
    assert (tmp_path / "big").stat().st_size <= MB


def test_endless_talk_is_not_kept(tmp_path: Path) -> None:
    code = "import sys\nfor i in range(60_000): sys.stderr.write(f'{i:06d} ' + 'x' * 93 + '\\n')"

    finished = run_python(code, tmp_path)

    assert finished.messages.startswith("000000 ")
    assert "059999 " in finished.messages
    assert len(finished.messages) <= HEAD_BYTES + TAIL_BYTES + 1


def test_nothing_of_the_environment_gets_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEYS", "s3cret")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("FFREPORT", "file=report.log")

    said = run_python("import os, sys; sys.stderr.write(repr(dict(os.environ)))", tmp_path).messages

    assert "s3cret" not in said
    assert "proxy" not in said
    assert "FFREPORT" not in said


def test_a_program_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="could not be started"):
        run_guarded([str(tmp_path / "missing")], tmp_path, make_limits())


def test_arguments_meet_no_shell(tmp_path: Path) -> None:
    code = "import sys; sys.stderr.write(sys.argv[1])"

    finished = run_guarded(
        [sys.executable, "-I", "-c", code, "$(touch owned); `id` > owned"], tmp_path, make_limits()
    )

    assert finished.messages == "$(touch owned); `id` > owned"
    assert list(tmp_path.iterdir()) == []


def test_runs_of_several_threads_do_not_disturb_each_other(tmp_path: Path) -> None:
    results: dict[int, Finished] = {}

    def run(number: int) -> None:
        code = f"import sys; sys.stderr.write('{number}'); sys.exit({number})"
        results[number] = run_python(code, tmp_path)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == {number: Finished(number, str(number), None) for number in range(8)}
