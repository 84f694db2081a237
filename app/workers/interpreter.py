"""What another Python process needs in order to find this package."""

from __future__ import annotations

import os
from pathlib import Path

import app


def import_path() -> str:
    """For ``PYTHONPATH``: where this package lies, before whatever the variable holds already."""
    package_root = str(Path(app.__file__).resolve().parent.parent)
    return os.pathsep.join(path for path in (package_root, os.environ.get("PYTHONPATH", "")) if path)
