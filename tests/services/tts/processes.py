"""What tests ask of the processes that voices run in."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

OFFLINE = "import socket\ndef refuse(*arguments):\n    raise OSError('offline')\nsocket.socket = refuse\n"


def has_ended(pid: int) -> bool:
    """Gone within ten seconds, or dead with nobody left to collect it."""
    for _ in range(200):
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return True
        if state in "ZX":
            return True
        time.sleep(0.05)
    return False


def take_offline(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every Python started from now on refuses to make a socket (it reads sitecustomize first)."""
    (folder / "sitecustomize.py").write_text(OFFLINE)
    monkeypatch.setenv("PYTHONPATH", str(folder))
