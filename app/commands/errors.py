"""How commands end when something expected went wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from app.core.exceptions import AppError, ConfigurationError


@contextmanager
def plain_errors() -> Iterator[None]:
    """An expected failure is one line on standard error and exit code 1 (2 for bad configuration)."""
    try:
        yield
    except ConfigurationError as error:
        print(f"error: {error.detail}", file=sys.stderr)
        raise typer.Exit(2) from None
    except AppError as error:
        print(f"error: {error.code}: {error.detail}", file=sys.stderr)
        raise typer.Exit(1) from None
