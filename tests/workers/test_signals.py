"""Being told to stop, at whatever moment."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time

import pytest

WAITING = """
import threading
from app.workers.signals import set_when_told_to_stop

stopping = threading.Event()
set_when_told_to_stop(stopping)
print("up", flush=True)
while not stopping.wait(0.0005):
    pass
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_event(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", WAITING], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(random.uniform(0, 0.01))
        process.send_signal(number)
        assert process.wait(60) == 0


def test_a_signal_that_comes_while_the_lock_is_held_is_not_lost() -> None:
    """The moment that a wait for the event passes through each time, made long."""
    held = WAITING.replace(
        "while not",
        "import os, signal\nwith stopping._cond:\n    os.kill(os.getpid(), signal.SIGTERM)\nwhile not",
    )
    done = subprocess.run([sys.executable, "-c", held], check=False, timeout=60)
    assert done.returncode == 0
