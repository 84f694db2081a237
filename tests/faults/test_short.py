"""Every row of the fault table, once or a few times; `make faults` does each as often as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.registry import ROWS
from tests.faults.rows import Conditions, Row


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"row {row.number}")
def test_the_row_holds(row: Row, tmp_path: Path) -> None:
    outcome = row.run(Conditions(tmp_path, short=True), row.short)
    assert outcome.all_held, outcome
