"""`python -m tests.faults [NUMBER …]`: does to real processes what every row names, and prints the table.

Writes ``bench/results/faults.json`` and the table of ``docs/faults.md``, of which other rows stay; exits with
1 where a row did not hold.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.core.config import available_cores
from tests.faults.registry import ROWS
from tests.faults.rows import Conditions, Outcome, Row

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "bench" / "results" / "faults.json"
TABLE = ROOT / "docs" / "faults.md"
Entry = dict[str, Any]
BEGIN, END = "<!-- table -->", "<!-- end of table -->"


def main() -> None:
    asked = {int(number) for number in sys.argv[1:]}
    rows = [row for row in ROWS if not asked or row.number in asked]
    done: list[Entry] = []
    for row in rows:
        runs = [(row.rounds, False), *([(row.defaults_too, True)] if row.defaults_too else [])]
        for rounds, defaults in runs:
            done.append(_entry(row, rounds, defaults=defaults))
            print(_line(done[-1]), flush=True)
    _write([*(entry for entry in _known() if asked and entry["row"] not in asked), *done])
    failed = [entry for entry in done if entry["held"] != entry["tried"] or not entry["tried"]]
    print(f"\n{len(done)} rows, {len(failed)} did not hold")
    sys.exit(1 if failed else 0)


def _entry(row: Row, rounds: int, *, defaults: bool) -> Entry:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            outcome = row.run(Conditions(Path(folder), defaults), rounds)
        except Exception as error:
            traceback.print_exc()
            outcome = Outcome(0, rounds, f"{type(error).__name__}: {error}")
    return {
        "row": row.number,
        "what": row.what,
        "held": outcome.held,
        "tried": outcome.tried,
        "times": "defaults" if defaults else "a tenth",
        "seconds": round(time.monotonic() - began, 1),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_average": round(os.getloadavg()[0], 1),
        "notes": outcome.notes,
    }


def _line(entry: Entry) -> str:
    return (
        f"| {entry['row']} | {entry['what']} | {entry['held']}/{entry['tried']} | {entry['times']} | "
        f"{entry['notes']} |"
    )


def _known() -> list[Entry]:
    """The rows of earlier runs."""
    known: list[Entry] = json.loads(RESULT.read_text())["rows"] if RESULT.exists() else []
    return known


def _write(entries: list[Entry]) -> None:
    entries.sort(key=lambda entry: (entry["row"], entry["times"] == "defaults"))
    machine = {"cores": available_cores(), "python": platform.python_version()}
    RESULT.write_text(json.dumps({"machine": machine, "rows": entries}, indent=2) + "\n")
    head, rest = TABLE.read_text().split(BEGIN)
    _, tail = rest.split(END)
    lines = ["| row | what is done, what must hold | held | times | seen |", "|---|---|---|---|---|"]
    table = "\n".join([*lines, *(_line(entry) for entry in entries)])
    TABLE.write_text(f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}")


if __name__ == "__main__":
    main()
