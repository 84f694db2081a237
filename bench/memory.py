"""How much memory processes hold, as Linux tells it.

What getrusage says of a peak begins with that of the process that started this one; /proc tells it alone.
"""

from __future__ import annotations

from pathlib import Path


def resident_mb(pid: int | str = "self") -> float:
    return _status_mb(pid, "VmRSS")


def peak_mb(pid: int | str = "self") -> float:
    """The most that was ever held, or since ``forget_peak``."""
    return _status_mb(pid, "VmHWM")


def forget_peak(pid: int | str = "self") -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status_mb(pid: int | str, field: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024
