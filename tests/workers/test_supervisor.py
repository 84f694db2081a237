"""The process that watches: it keeps others running, and ends with them."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.core.exceptions import ConfigurationError
from app.schemas.call import ALL_QUEUES, Queue
from app.workers.supervisor import LONGEST_PAUSE_S, REPLACED, Supervisor, _Place, named_queues, supervise
from tests.process.service import wait_until
from tests.settings import make_settings

WAITS_FOR_ITS_PARENT = "import sys; sys.stdin.read()"
WAITS_FOR_SIGTERM = "import signal; signal.pause()"
IGNORES_SIGTERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
)


def place(script: str) -> _Place:
    return _Place([sys.executable, "-c", script], {})


def next_process(watched: _Place) -> subprocess.Popen[bytes]:
    """Wait until it has ended, and return the one after it."""
    first = watched.process
    assert first is not None
    first.wait()

    def is_replaced() -> bool:
        watched.look()
        return watched.process not in (None, first)

    wait_until(is_replaced, "another process")
    assert watched.process is not None
    return watched.process


def test_another_process_takes_the_place_of_one_that_ends() -> None:
    watched = place(WAITS_FOR_ITS_PARENT)
    watched.look()
    first = watched.process
    assert first is not None
    watched.look()
    assert watched.process is first
    first.kill()
    second = next_process(watched)
    assert second.pid != first.pid
    second.kill()
    watched.wait(0)


def pauses_after(code: int, times: int, *, lived_s: float) -> list[float]:
    """Seconds to the next start each time that a process ends with ``code`` after so long a life."""
    watched = place(f"raise SystemExit({code})")
    pauses = []
    for _ in range(times):
        watched.look()
        ended, watched._started_at = watched.process, 1000.0 - lived_s
        assert ended is not None
        ended.wait()
        watched._ended(ended, 1000.0)
        pauses.append(watched._starts_at - 1000.0)
        watched._starts_at = 0.0
    return pauses


def test_what_ends_soon_after_its_start_is_started_later_and_later() -> None:
    assert pauses_after(3, 7, lived_s=1) == [1, 2, 4, 8, 16, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    assert pauses_after(3, 3, lived_s=60) == [0, 0, 0]


def test_what_was_to_be_replaced_is_replaced_at_once() -> None:
    assert pauses_after(REPLACED, 3, lived_s=1) == [0, 0, 0]


def supervisor(tmp_path: Path, script: str, grace_s: float) -> Supervisor:
    found = Supervisor(make_settings(tmp_path, stop_grace_s=0), ALL_QUEUES, 2)
    found._grace_s = grace_s
    found._places = [place(script), place(script)]
    return found


@pytest.mark.parametrize(("script", "code"), [(WAITS_FOR_SIGTERM, -15), (IGNORES_SIGTERM, -9)])
def test_processes_are_asked_to_end_and_then_made_to(tmp_path: Path, script: str, code: int) -> None:
    found = supervisor(tmp_path, script, grace_s=1 if code == -9 else 30)
    stopping = threading.Event()
    running = threading.Thread(target=found.run, args=(stopping,))
    running.start()
    wait_until(lambda: all(place.process for place in found._places), "both processes")
    processes = [place.process for place in found._places if place.process is not None]
    if code == -9:
        wait_until(lambda: all(ignores_sigterm(process.pid) for process in processes), "them to ignore it")
    stopping.set()
    running.join(60)
    assert [process.returncode for process in processes] == [code, code]


def ignores_sigterm(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    ignored = next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn"))
    return bool(int(ignored, 16) & (1 << 14))


def test_all_processes_together_use_no_more_threads_than_engines_may(tmp_path: Path) -> None:
    for threads, processes, each in ((8, 2, "4"), (8, 3, "2"), (2, 8, "1")):
        found = Supervisor(make_settings(tmp_path, engine_threads=threads), ALL_QUEUES, processes)
        assert {place._environment["ENGINE_THREADS"] for place in found._places} == {each}


def test_queues_are_named_once_each_and_known() -> None:
    assert named_queues("analyze, transcribe,analyze") == (Queue.ANALYZE, Queue.TRANSCRIBE)
    for names in ("", " , ", "transcribe,transcibe"):
        with pytest.raises(ConfigurationError, match="known: transcribe, analyze, bulk"):
            named_queues(names)


def test_without_a_broker_there_is_nothing_to_watch(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="QUEUE_URL is not set"):
        supervise(make_settings(tmp_path), ALL_QUEUES, 1)


def test_it_loads_no_engine_no_database_and_no_broker() -> None:
    """What forks or starts others must not hold a model, and is to stay small."""
    script = "import sys, app.workers.supervisor; print(*{name.split('.')[0] for name in sys.modules})"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "sqlalchemy", "celery", "kombu", "fastapi"} & set(shown.stdout.split())


def test_a_service_without_a_broker_loads_nothing_of_celery() -> None:
    script = (
        "import sys; from app.core.config import Settings; from app.main import create_app; "
        "create_app(Settings(_env_file=None)); print(*{name.split('.')[0] for name in sys.modules})"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert not {"celery", "kombu", "amqp", "redis"} & set(shown.stdout.split())
