"""The table of a back catalogue: a CSV file, a line a recording, checked as a whole before any is used."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from app.core.exceptions import ConfigurationError
from app.schemas.requests import CallForm

COLUMNS: dict[str, tuple[str, ...]] = {
    "file": ("filename", "file_name", "path", "recording"),
    "call_id": ("id",),
    "started_at": ("start_time", "start", "started"),
    "agent_id": ("agent",),
    "team_id": ("team",),
    "customer_id": ("customer",),
    "direction": (),
    "language": ("lang",),
    "agent_channel": (),
    "num_speakers": (),
    "vocabulary": (),
    "metadata": (),
}
"""Each column's name and what else it may be called; case, spaces and hyphens do not matter."""
DELIMITERS = ",;\t"
MOST_NAMED = 20
"""Problems that one error names."""
_FILE = "file"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; ``file`` is a path below the folder."""

    line: int
    file: str
    form: CallForm


@dataclass(frozen=True, slots=True)
class _Problem:
    line: int
    column: str | None
    message: str

    def __str__(self) -> str:
        return f"line {self.line}" + (f", column {self.column}" if self.column else "") + f": {self.message}"


class _Unsound(Exception):
    """What stands in the way of reading on."""

    def __init__(self, *problems: _Problem) -> None:
        super().__init__()
        self.problems = problems


def read_sheet(path: Path) -> tuple[Row, ...]:
    """Every line of the table. Raises ConfigurationError that names line and column of what is wrong."""
    problems: list[_Problem] = []
    rows: list[Row] = []
    try:
        lines = _lines(_text(path))
        columns = _columns(next(lines, (1, [])))
        for number, cells in lines:
            try:
                rows.append(_row(number, _named(number, cells, columns)))
            except _Unsound as unsound:
                problems += unsound.problems
    except _Unsound as unsound:
        problems += unsound.problems
    problems += _repeated(rows)
    if problems:
        problems.sort(key=lambda problem: problem.line)
        raise ConfigurationError(_told(path.name, problems))
    return tuple(rows)


def _text(path: Path) -> str:
    try:
        whole = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path.name}: cannot be read ({error.strerror})") from error
    try:
        return whole.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = whole.count(b"\n", 0, error.start) + 1
        raise _Unsound(_Problem(line, None, "is not UTF-8: save the table as UTF-8")) from error


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Lines that hold anything, each with the number of the line where it begins."""
    heading = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=heading.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _Unsound(_Problem(begins, None, f"is not CSV: {error}")) from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield begins, [cell.strip() for cell in cells]
        begins = reader.line_num + 1


def _columns(heading: tuple[int, list[str]]) -> dict[str, int]:
    """Where each column stands."""
    line, cells = heading
    known = {name: column for column, others in COLUMNS.items() for name in (column, *others)}
    columns: dict[str, int] = {}
    problems = []
    for place, cell in enumerate(cells):
        column = known.get(cell.lower().replace(" ", "_").replace("-", "_"))
        if not cell:
            continue  # what spreadsheets leave behind the last column
        if column is None:
            message = f"is not known; known are {', '.join(COLUMNS)}"
            problems.append(_Problem(line, repr(cell), message))
        elif column in columns:
            problems.append(_Problem(line, repr(cell), f"is the second one for {column}"))
        else:
            columns[column] = place
    if _FILE not in columns and not problems:
        problems.append(_Problem(line, _FILE, "is missing"))
    if problems:
        raise _Unsound(*problems)
    return columns


def _named(line: int, cells: Sequence[str], columns: dict[str, int]) -> dict[str, str]:
    if any(cell for place, cell in enumerate(cells) if place not in columns.values()):
        raise _Unsound(_Problem(line, None, "has more cells than there are columns"))
    return {column: cells[place] if place < len(cells) else "" for column, place in columns.items()}


def _row(line: int, cells: dict[str, str]) -> Row:
    problems = []
    file = cells.pop(_FILE)
    wrong = _wrong_path(file)
    if wrong:
        problems.append(_Problem(line, _FILE, wrong))
    values: dict[str, Any] = dict(cells)
    metadata = values.pop("metadata", "")
    try:
        if metadata:
            values["metadata"] = json.loads(metadata)
    except (ValueError, RecursionError):
        problems.append(_Problem(line, "metadata", "is not valid JSON"))
    try:
        form = CallForm.model_validate(values)
    except ValidationError as error:
        problems += [
            _Problem(line, str(item["loc"][0]), item["msg"].removeprefix("Value error, "))
            for item in error.errors(include_input=False, include_url=False)
        ]
    if problems:
        raise _Unsound(*problems)
    return Row(line, str(PurePosixPath(file)), form)


def _wrong_path(file: str) -> str | None:
    path = PurePosixPath(file)
    if not file or "\x00" in file or not path.name:
        return "names no file"
    if path.is_absolute() or ".." in path.parts:
        return "must be a path within the folder"
    return None


def _repeated(rows: Sequence[Row]) -> list[_Problem]:
    """A file or a call that two lines name."""
    problems = []
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        for column, value in ((_FILE, row.file), ("call_id", row.form.call_id)):
            if value is None:
                continue
            earlier = seen.setdefault((column, value), row.line)
            if earlier != row.line:
                problems.append(_Problem(row.line, column, f"is the same as in line {earlier}"))
    return problems


def _told(name: str, problems: Sequence[_Problem]) -> str:
    lines = [f"{name}: nothing is loaded until the table is sound", *map(str, problems[:MOST_NAMED])]
    if len(problems) > MOST_NAMED:
        lines.append(f"and {len(problems) - MOST_NAMED} more")
    return "\n  ".join(lines)
