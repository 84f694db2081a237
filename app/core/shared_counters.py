"""Where the processes of one service add up what each of them counts.

Apart from ``telemetry``, since the choice has to be made before prometheus_client is imported.
"""

from __future__ import annotations

import os
from pathlib import Path

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def shared_folder() -> Path | None:
    """Where several processes add up their counters; None where one counts alone."""
    folder = os.environ.get(_VARIABLE)
    return Path(folder) if folder else None


def share_counters(folder: Path) -> None:
    """From here on this process, and those that it starts, count together in ``folder``.

    To be called before ``telemetry`` is imported. What earlier processes counted there is forgotten.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("*.db"):
        left.unlink(missing_ok=True)
    os.environ[_VARIABLE] = str(folder)
