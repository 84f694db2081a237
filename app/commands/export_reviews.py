"""``python -m app export-reviews``: reviewers' verdicts as labelled lines to train on."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from app.commands.errors import plain_errors
from app.core.config import load_settings
from app.core.logging import configure_logging


def export_reviews(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="JSON lines; written anew.")],
) -> None:
    """Write the verdicts on moments in the form of training/moments/talk: one line a reviewed segment.

    The file holds words of calls, and is no part of what is removed with them.
    """
    with plain_errors():
        configure_logging("ERROR")
        lines = _lines()
        try:
            count = _write(lines, file)
        except OSError as error:
            print(f"error: {file} cannot be written: {error.strerror}", file=sys.stderr)
            raise typer.Exit(1) from None
    print(f"{count} lines written to {file}")


def _lines() -> Iterator[dict[str, Any]]:
    from app.db.migrate import prepare
    from app.services.bootstrap import build_services
    from app.services.review_lines import lines_of

    services = build_services(load_settings())
    prepare(services.database)
    for reviews in services.reviews.with_words():
        yield from lines_of(reviews)


def _write(lines: Iterator[dict[str, Any]], file: Path) -> int:
    """Number of lines. What was there before stays unless all of them are written."""
    new = file.with_name(f"{file.name}.part")
    count = 0
    try:
        with new.open("w", encoding="utf-8") as target:
            for line in lines:
                target.write(json.dumps(line, ensure_ascii=False) + "\n")
                count += 1
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
    return count
