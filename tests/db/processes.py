"""What other processes do in tests of the database; kept light, since each of them imports it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Barrier
from typing import Any

from app.core.config import Settings
from app.db.migrate import is_current, migrate
from app.db.repositories.calls import CallRepository
from app.db.session import Database
from app.schemas.call import NewCall

_NOW = datetime(2026, 2, 21, tzinfo=UTC)


def run_together(work: Callable[..., Any], processes: int, *arguments: Any) -> list[Any]:
    """Run ``work(barrier, number, *arguments)`` in new processes; what they return, in their order."""
    context = _context()
    barrier = context.Barrier(processes)
    answers = context.Queue()
    workers = [
        context.Process(target=_answer, args=(answers, work, barrier, number, *arguments), daemon=True)
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    collected = dict(answers.get(timeout=120) for _ in workers)
    for worker in workers:
        worker.join()
        worker.close()
    answers.close()
    answers.join_thread()
    for answer in collected.values():
        if isinstance(answer, Exception):
            raise answer
    return [collected[number] for number in range(processes)]


def run_and_be_killed(work: Callable[..., Any], *arguments: Any) -> None:
    """Run ``work`` in a new process that kills itself."""
    worker = _context().Process(target=work, args=arguments, daemon=True)
    worker.start()
    worker.join()
    assert worker.exitcode == -signal.SIGKILL
    worker.close()


def migrate_together(barrier: Barrier, _number: int, url: str) -> bool:
    database = _open(url)
    barrier.wait()
    try:
        migrate(database)
        return is_current(database)
    finally:
        database.dispose()


def _context() -> ForkServerContext:
    # New processes, each forked from a server that has done the imports once.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "alembic.command", "psycopg", __name__])
    return context


def _open(url: str) -> Database:
    return Database(Settings(_env_file=None, database_url=url))


def _answer(answers: Any, work: Callable[..., Any], barrier: Barrier, number: int, *arguments: Any) -> None:
    try:
        answers.put((number, work(barrier, number, *arguments)))
    except Exception as error:
        answers.put((number, RuntimeError(f"{type(error).__name__}: {error}")))
        raise


def write_and_be_killed(url: str) -> None:
    with _open(url).session() as session:
        assert CallRepository(session).insert(NewCall("killed", "f", "k", "a", 1), _NOW)
        os.kill(os.getpid(), signal.SIGKILL)


def write_together(barrier: Barrier, number: int, url: str, threads: int, transactions: int) -> list[str]:
    """What went wrong, as text, while this process wrote along with others."""
    database = _open(url)
    barrier.wait()
    try:
        return write_as_many(database, f"p{number}", threads, transactions)
    finally:
        database.dispose()


def write_as_many(database: Database, prefix: str, threads: int, transactions: int) -> list[str]:
    """Each thread adds ``transactions`` calls, reading in the same transaction before it writes."""
    errors = list[str]()
    together = threading.Barrier(threads)

    def write(thread: int) -> None:
        together.wait()
        for number in range(transactions):
            new = NewCall(f"{prefix}-{thread}-{number}", "f", "k", "a", 1)
            try:
                with database.session() as session:
                    repository = CallRepository(session)
                    if repository.get(new.call_id) is not None or not repository.insert(new, _NOW):
                        errors.append(f"{new.call_id} was there")
            except Exception as error:
                errors.append(f"{type(error).__name__}: {error} / {error.__cause__}")

    workers = [threading.Thread(target=write, args=(thread,)) for thread in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return errors
