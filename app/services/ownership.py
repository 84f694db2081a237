"""Which process works on a call, and whether it still lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from uuid import uuid4


def new_owner() -> str:
    """A name for this process that no other process, before or after it, bears."""
    return f"{_machine()}/{os.getpid()}/{uuid4().hex[:12]}"


def is_gone(owner: str) -> bool:
    """Whether ``owner`` is known to have ended: a process of this machine that is no more.

    False says nothing: owners on other machines are judged by their heartbeat alone.
    """
    machine, _, rest = _place(owner)
    if machine != _machine() or not rest.isdigit():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def is_here(owner: str) -> bool:
    """Whether ``owner`` is or was a process of this machine (in a container: of this container)."""
    return _place(owner)[0] == _machine()


def _place(owner: str) -> tuple[str, str, str]:
    return owner.rpartition("/")[0].rpartition("/")


def _machine() -> str:
    """Host and process namespace: the same process id in another container is another process."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = "0"
    return f"{socket.gethostname()}/{namespace}"
