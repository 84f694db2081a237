"""``python -m app calibrate-sentiment``: the neutral band of a sentiment model that knows no neutral."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.core.config import load_settings
from app.core.exceptions import AppError, ConfigurationError
from app.core.logging import configure_logging

FAILED, UNUSABLE = 1, 2


def calibrate_sentiment(
    files: Annotated[
        list[Path],
        typer.Argument(
            exists=True,
            dir_okay=False,
            readable=True,
            help="JSON lines with text and sentiment.",
        ),
    ],
) -> None:
    """Fit how undecided SENTIMENT_MODEL must be to count as NEUTRAL; used from then on.

    Only for models that know positive and negative alone, such as those trained on SST-2.
    """
    from app.services.sentiment.calibration import calibrate, read_lines
    from app.services.sentiment.transformer import TransformerEngine

    try:
        settings = load_settings()
        configure_logging("WARNING")
        report = calibrate(TransformerEngine(settings), read_lines(files))
    except AppError as error:
        print(f"error: {error.detail}", file=sys.stderr)
        raise typer.Exit(UNUSABLE if isinstance(error, ConfigurationError) else FAILED) from None
    print(f"{report.lines} lines; border {report.band.border}, spread {report.band.spread}")
    for name, (accuracy, macro_f1) in (("standard band", report.before), ("fitted band", report.after)):
        print(f"{name}: accuracy {accuracy:.3f}, macro-F1 {macro_f1:.3f}")
