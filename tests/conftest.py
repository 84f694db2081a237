"""What holds for all tests: where Python keeps bytecode, and in which order several processes take files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

# Tests start hundreds of processes. Where PYTHONDONTWRITEBYTECODE is set, as in many images, each of them
# would compile the whole of ``app`` anew, a quarter of its start, and each worker of pytest-xdist every test.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

HERE = Path(__file__).parent
LONG = {HERE / name for name in ("faults", "process", "browser", "bench")}
"""Folders whose tests start services: minutes a file, and few tests in it."""


def pytest_configure(config: pytest.Config) -> None:
    # Else pytest-xdist takes the files with the fewest tests last: those that take longest, at whose end all
    # other processes wait for one.
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Side by side, long files begin and short ones fill up the end; alone, the short ones tell first."""
    side_by_side = hasattr(config, "workerinput")
    items.sort(key=lambda item: LONG.isdisjoint(item.path.parents) == side_by_side)
