"""Every row of the fault table, in its order."""

from __future__ import annotations

from tests.faults.rows import Row

ROWS: tuple[Row, ...] = ()
