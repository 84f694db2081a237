"""``python -m app ingest``: loads a back catalogue of recordings behind all other calls."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from app.core.config import Settings, load_settings
from app.core.exceptions import AppError, ConfigurationError
from app.core.logging import configure_logging

if TYPE_CHECKING:
    from app.commands.ingest_display import Display
    from app.schemas.catalogue import Catalogue
    from app.workers.ingest import Ingest
    from app.workers.ingest_progress import Stopping
    from app.workers.runtime import Runtime

DONE, SOME_FAILED, UNUSABLE, ENDED_EARLY = 0, 1, 2, 3
BY_SIGNAL = 128
NICENESS = 10
"""The processor is for new calls first, where a service runs on the same machine."""
SHOW_CURSOR = b"\x1b[?25h"
GO_ON = "The same command goes on where this run stopped."


def ingest(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, readable=True, help="Recordings, subfolders too.")
    ],
    metadata: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            readable=True,
            help=(
                "CSV with a line a recording: file, call_id, started_at, agent_id, team_id, customer_id, "
                "direction, language, agent_channel, num_speakers, vocabulary, metadata (JSON). "
                "Only file is needed."
            ),
        ),
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try failed calls again.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Only queue the calls, for others.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Name all files that are not loaded, however many.")
    ] = False,
) -> None:
    """Load a back catalogue of recordings behind all other calls; may be stopped and run again.

    Exit code 1: something failed; 2: the settings or the CSV cannot be used; 3: it had to end early.
    """
    from app.commands.ingest_display import open_display

    display = open_display(list_all=verbose)
    try:
        settings = _settings(display)
        catalogue = _catalogue(folder, metadata, settings)
        code = _load(catalogue, settings, display, retry_failed=retry_failed, wait=not no_wait)
    except ConfigurationError as error:
        print(f"error: {error.detail}", file=sys.stderr)
        code = UNUSABLE
    except AppError as error:
        print(f"error: {error.code}: {error.detail}", file=sys.stderr)
        code = ENDED_EARLY
    raise typer.Exit(code)


def _settings(display: Display) -> Settings:
    settings = load_settings()
    if display.is_on_terminal and "log_level" not in settings.model_fields_set:
        settings = settings.model_copy(update={"log_level": "ERROR"})
    configure_logging(settings.log_level)
    return settings


def _catalogue(folder: Path, metadata: Path | None, settings: Settings) -> Catalogue:
    from app.services.catalogue.folder import look_through
    from app.services.catalogue.sheet import read_sheet
    from app.storage.scratch import own_folders

    rows = None if metadata is None else read_sheet(metadata)
    return look_through(folder, rows, sheet=metadata, own=own_folders(settings))


def _load(
    catalogue: Catalogue, settings: Settings, display: Display, *, retry_failed: bool, wait: bool
) -> int:
    """Exit code. Raises AppError when nothing could be begun."""
    from app.schemas.call import Queue
    from app.services.bootstrap import build_services
    from app.workers.ingest import Ingest
    from app.workers.ingest_progress import Stopping
    from app.workers.runtime import Runtime

    services = build_services(settings)
    runtime = Runtime(services, (Queue.BULK,))
    stopping = Stopping()
    signals = _Signals(stopping, display)
    run = Ingest(services.catalogue, runtime.bell, display, stopping, retry_failed=retry_failed, wait=wait)
    failure = None
    try:
        with display:
            _begin(runtime, display, stopping, wait=wait)
            try:
                run.run(catalogue)
            except AppError as error:
                failure = error
        if stopping.is_set():
            display.say(
                f"Stopping: calls in work have {settings.stop_grace_s:g} s; a second signal ends at once."
            )
    finally:
        runtime.stop()
        run.look_back()
        services.catalogue.close()
    display.table(run.tally)
    return _ended(run, failure, signals.received, display)


def _begin(runtime: Runtime, display: Display, stopping: Stopping, *, wait: bool) -> None:
    """Everything that has to be there before the first recording is taken in."""
    from app.db.migrate import prepare
    from app.workers.ingest import await_engines

    services = runtime.services
    prepare(services.database)
    services.storage.check()
    services.catalogue.clear_up()
    works_here = wait and runtime.works_here
    if works_here:
        with suppress(OSError):
            os.nice(NICENESS)
    if wait or not runtime.works_here:
        runtime.start()
    if works_here:
        for line in await_engines(runtime, stopping, display.say):
            display.say(line)


def _ended(run: Ingest, failure: AppError | None, received: int | None, display: Display) -> int:
    """Exit code, with words where there is more to say than the table does."""
    tally = run.tally
    if failure is not None:
        print(f"error: {failure.code}: {failure.detail}", file=sys.stderr)
    if tally.outstanding:
        display.say(f"{tally.outstanding} calls wait for the next service, worker or run that takes them.")
    if run.halted_by is not None:
        display.say(f"Stopped: one call after the other failed with {run.halted_by}. See to it first.")
    if tally.failed:
        display.say("--retry-failed tries failed calls again.")
    if received is not None or failure is not None or run.halted_by is not None:
        display.say(GO_ON)
        return ENDED_EARLY if received is None else BY_SIGNAL + received
    return SOME_FAILED if tally.failed else DONE


class _Signals:
    """The first signal stops the run in order, a second one at once."""

    def __init__(self, stopping: Stopping, display: Display) -> None:
        self._stopping = stopping
        self._display = display
        self.received: int | None = None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._receive)

    def _receive(self, number: int, _: FrameType | None) -> None:
        if self.received is not None:
            if self._display.is_on_terminal:
                os.write(sys.stdout.fileno(), SHOW_CURSOR)
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.received = number
        self._stopping.set()
