"""Rows of the fault table, once or a few times; `make faults` does each as often as it says.

In two files, so that they run side by side.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.registry import ROWS
from tests.faults.rows import Conditions, Row

HERE = [row for row in ROWS if row.number <= 11]


@pytest.mark.parametrize("row", HERE, ids=lambda row: f"row {row.number}")
def test_the_row_holds(row: Row, tmp_path: Path) -> None:
    outcome = row.run(Conditions(tmp_path, short=True), row.short)
    assert outcome.all_held, outcome
