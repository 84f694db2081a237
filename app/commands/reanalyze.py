"""``python -m app reanalyze``: stored calls judged again by another playbook, behind all other work."""

from __future__ import annotations

import signal
import sys
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.errors import plain_errors
from app.core.clock import utc_now
from app.core.config import load_settings
from app.core.logging import configure_logging

if TYPE_CHECKING:
    from app.workers.reanalysis import Tally, Wanted

SOME_FAILED = 1
MOST_NAMED = 20
DAY = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


def reanalyze(
    since: Annotated[
        datetime, typer.Option(formats=DAY, help="Calls that came in at or after this time (UTC).")
    ],
    until: Annotated[
        datetime | None, typer.Option(formats=DAY, help="And before this one (default: now).")
    ] = None,
    playbook: Annotated[
        str | None, typer.Option(help="Its name (default: the one that each call asks for).")
    ] = None,
    revision: Annotated[
        str | None, typer.Option(help="A published revision of it (default: the current one).")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many calls, the oldest ones.")] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Only queue the calls, for others.")] = False,
) -> None:
    """Find moments, sentiment and metrics of stored calls anew, without transcribing.

    Old results are served until the new ones are complete. Exit code 1: some calls failed.
    """
    from app.workers.reanalysis import Wanted

    with plain_errors():
        wanted = Wanted(_utc(since), _utc(until) if until else utc_now(), limit, playbook, revision)
        tally = _run(wanted, wait=not no_wait)
    _report(tally)
    if tally.failed:
        raise typer.Exit(SOME_FAILED)


def _run(wanted: Wanted, *, wait: bool) -> Tally:
    from app.db.migrate import prepare
    from app.schemas.call import Queue
    from app.services.bootstrap import build_services
    from app.workers.reanalysis import Reanalysis
    from app.workers.runtime import Runtime

    settings = load_settings()
    configure_logging("ERROR")
    services = build_services(settings)
    prepare(services.database)
    runtime = Runtime(services, (Queue.BULK,))
    stopping = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        if wait or not runtime.works_here:
            runtime.start()
        run = Reanalysis(services.reanalyses, runtime.bell, stopping, _progress, wait=wait)
        return run.run(wanted)
    finally:
        runtime.stop()


def _utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC)


def _progress(tally: Tally) -> None:
    if sys.stderr.isatty():
        print(f"\r{tally.done} of {tally.queued} done", end="", file=sys.stderr, flush=True)


def _report(tally: Tally) -> None:
    counts = {
        "analysed again": tally.done,
        "failed": len(tally.failed),
        "waiting": tally.queued - tally.done - len(tally.failed),
        "passed over": tally.passed_over,
    }
    print(", ".join(f"{name}: {count}" for name, count in counts.items()))
    for call_id, code in list(tally.failed.items())[:MOST_NAMED]:
        print(f"{call_id}: {code}", file=sys.stderr)
