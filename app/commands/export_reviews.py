"""``python -m app export-reviews``: reviewers' verdicts as labelled lines to train on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

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
    from app.db.migrate import prepare
    from app.services.bootstrap import build_services
    from app.services.review_lines import lines_of

    with plain_errors():
        settings = load_settings()
        configure_logging("ERROR")
        services = build_services(settings)
        prepare(services.database)
        count = 0
        new = file.with_name(f"{file.name}.part")
        with new.open("w", encoding="utf-8") as target:
            for reviews in services.reviews.with_words():
                for line in lines_of(reviews):
                    target.write(json.dumps(line, ensure_ascii=False) + "\n")
                    count += 1
        new.replace(file)
        print(f"{count} lines written to {file}")
