"""The command line: serve, work, transcribe a file, migrate, fetch models."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app import __version__
from app.commands.calibrate_sentiment import calibrate_sentiment
from app.commands.errors import plain_errors
from app.commands.export_reviews import export_reviews
from app.commands.ingest import ingest
from app.commands.playbooks import playbooks
from app.commands.reanalyze import reanalyze
from app.core.config import load_settings
from app.core.exceptions import AppError
from app.core.logging import configure_logging

if TYPE_CHECKING:
    from fastapi import FastAPI

    from app.services.engine_chain import FetchableEngine

ANSWERING_S = 5

cli = typer.Typer(
    help="Darwix AI: understand sales calls on your own machines.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.command()(ingest)
cli.command("calibrate-sentiment")(calibrate_sentiment)
cli.command()(reanalyze)
cli.command()(export_reviews)
cli.add_typer(playbooks, name="playbooks")


def main() -> None:
    cli()


@cli.command()
def version() -> None:
    """Print the version."""
    print(__version__)


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to bind (default: HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to bind (default: PORT).")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that serve.")] = 1,
) -> None:
    """Serve the API. Refuses an address beyond this machine without a key."""
    from app.core.security import check_exposure
    from app.core.shared_counters import share_counters
    from app.storage.scratch import working_folder

    with plain_errors():
        settings = load_settings()
        bind = host or settings.host
        check_exposure(bind, settings.api_keys, settings.allow_no_auth)
        configure_logging(settings.log_level)
        if workers > 1:
            share_counters(working_folder(settings) / "counters")
        import uvicorn

        # Made here even where others serve it: a bad setting or playbook stops the start in one plain line.
        gc.disable()  # all that a start makes stays: looking for garbage in it takes a fifth of the time
        application = _application()
        gc.freeze()
        gc.enable()
        uvicorn.run(
            application if workers == 1 else "app.main:app",
            host=bind,
            port=settings.port if port is None else port,
            workers=workers,
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=list(settings.forwarded_allow_ips),
            # Whoever still waits is answered when STOP_GRACE_S is over; this is for what hangs.
            timeout_graceful_shutdown=ceil(settings.stop_grace_s) + ANSWERING_S,
        )


def _application() -> FastAPI:
    from app.main import app

    return app


@cli.command()
def worker(
    queues: Annotated[
        str,
        typer.Option(help="Comma-separated queues: `transcribe`, `analyze`, `bulk`."),
    ] = "transcribe,analyze,bulk",
    processes: Annotated[int, typer.Option(min=1, max=256, help="Processes, each with its own models.")] = 1,
) -> None:
    """Work on calls that the API takes in (needs QUEUE_URL), until SIGTERM; the rest is handed back."""
    from app.workers.supervisor import named_queues, supervise

    with plain_errors():
        settings = load_settings()
        configure_logging(settings.log_level)
        supervise(settings, named_queues(queues), processes)


@cli.command("check-worker")
def check_worker() -> None:
    """Exit code 0 when a worker of this machine can take calls and none of them is deaf, else 1."""
    from app.services.bootstrap import worker_service_of

    with plain_errors():
        settings = load_settings()
        configure_logging("ERROR")
        complaints = worker_service_of(settings).complaints()
        for complaint in complaints:
            print(complaint, file=sys.stderr)
        if complaints:
            raise typer.Exit(1)
        print("ready")


@cli.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    from app.db.migrate import HEAD
    from app.db.migrate import migrate as upgrade
    from app.db.session import Database

    with plain_errors():
        settings = load_settings()
        configure_logging("WARNING")
        upgrade(Database(settings))
        print(f"the database is at revision {HEAD}")


@cli.command()
def transcribe(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A recording.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the same JSON as POST /transcribe.")] = False,
    language: Annotated[str | None, typer.Option(help="ISO 639-1 code; detected when missing.")] = None,
    agent_channel: Annotated[
        int | None, typer.Option(min=0, max=1, help="The agent's channel of a two-channel recording.")
    ] = None,
    num_speakers: Annotated[
        int | None, typer.Option(min=1, max=10, help="How many speak; found out when missing.")
    ] = None,
) -> None:
    """Analyse one recording without a server or a database."""
    from app.schemas.call import CallOptions
    from app.schemas.models import CallResult
    from app.terminal import render_call
    from app.workers.file_run import analyse_file

    with plain_errors():
        settings = load_settings().model_copy(update={"log_level": "ERROR"})
        configure_logging(settings.log_level)
        options = CallOptions(language, agent_channel, num_speakers)
        analysis = analyse_file(settings, file, options, _progress_line())
        result = CallResult.of_file(file.stem, analysis).model_dump(mode="json")
        print(json.dumps(result, indent=2, ensure_ascii=False) if as_json else render_call(result))


def _progress_line() -> Callable[[str, float], None]:
    """Shows stage and percent on a terminal's standard error; says nothing elsewhere."""
    if not sys.stderr.isatty():
        return lambda _stage, _share: None

    def show(stage: str, share: float) -> None:
        end = "\n" if share >= 1 else ""
        print(f"\r{stage.replace('_', ' '):<16}{share:>5.0%}", end=end, file=sys.stderr, flush=True)

    return show


@cli.command("fetch-models")
def fetch_models(
    engine: Annotated[
        list[str] | None, typer.Option(help="Only these engines (default: all chains).")
    ] = None,
) -> None:
    """Fetch the weights that the configured engines need, for hosts without internet access."""
    from app.services.bootstrap import configured_engines

    with plain_errors():
        settings = load_settings()
        configure_logging("WARNING")
        failures = 0
        for stage, candidate in configured_engines(settings):
            if engine and candidate.name not in engine:
                continue
            failures += not _fetched(stage, candidate)
        if failures:
            raise typer.Exit(1)


def _fetched(stage: str, engine: FetchableEngine) -> bool:
    from app.schemas.engine import EngineState

    seen = engine.availability()
    if seen.state is EngineState.READY:
        print(f"{stage}: {engine.label} is here")
        return True
    try:
        if seen.state is EngineState.LOADING:
            print(f"{stage}: fetching {engine.label} …", flush=True)
            engine.fetch()
            print(f"{stage}: {engine.label} is here")
            return True
        reason, fix = seen.reason, seen.fix
    except AppError as error:
        reason, fix = error.detail, None
    print(f"{stage}: {engine.label}: {reason}" + (f" ({fix})" if fix else ""), file=sys.stderr)
    return False
