"""One installation of several processes: the API, workers, a database and a broker, all real.

Times are a tenth of the defaults, so that what takes minutes in production takes seconds here.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app.core.config import Settings
from app.db.migrate import migrate
from app.db.models import CallRow, ResultRow, SegmentRow, table_of
from app.db.repositories.workers import WorkerRepository
from app.db.session import Database
from app.schemas.call import CallOptions, CallRecord, NewCall, Queue
from app.schemas.worker import WorkerRecord
from app.services.bootstrap import Services, build_services
from app.services.call_service import fingerprint
from app.storage.base import Storage
from app.workers.celery_bell import CeleryBell
from tests.db.databases import postgres_url
from tests.process.brokers import forget, rings_waiting
from tests.process.service import ROOT, Service, environment, start, tone, wait_until

TENTH = {"heartbeat_s": "1", "lease_s": "3", "reaper_s": "1.5", "stop_grace_s": "2"}
DEFAULTS = {"heartbeat_s": "10", "lease_s": "30", "reaper_s": "15", "stop_grace_s": "20"}


@dataclass(frozen=True)
class Workers:
    """One `python -m app worker`: the process that watches, those that work, and their engine processes."""

    process: subprocess.Popen[bytes]
    log: Path

    def children(self) -> list[int]:
        """The processes that take calls."""
        return children_of(self.process.pid)

    def engines(self) -> list[int]:
        """The processes that hold models."""
        return [pid for child in self.children() for pid in children_of(child)]

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        """What they logged, or only these events."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if event in (None, line["event"])]

    def kill_all(self) -> None:
        """SIGKILL to the whole group at once; engine processes end with those that they belong to."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> float:
        """SIGTERM, as an operator would; returns how many seconds it took to end."""
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(60) == 0
        return time.monotonic() - began


class Cluster:
    """``folder`` holds recordings, the sidecar and logs. Whatever was started ends with it."""

    def __init__(self, folder: Path, database_url: str, queue_url: str, **settings: str) -> None:
        self.folder = folder
        self.settings: dict[str, str] = {
            **TENTH,
            "database_url": database_url,
            "queue_url": queue_url,
            "queue_prefix": f"test-{secrets.token_hex(6)}",
            "max_queued_calls": "1000",
            **settings,
        }
        self._groups: list[Workers] = []
        self._services: list[Service] = []
        self._client: tuple[Services, CeleryBell] | None = None
        self._lock = threading.Lock()
        self.database = Database(self.own_settings())
        migrate(self.database)

    def own_settings(self, **changes: str) -> Settings:
        values = environment(self.folder, **{**self.settings, **changes})
        known = {name: values[name.upper()] for name in Settings.model_fields if name.upper() in values}
        return Settings.model_validate(known)

    def start_api(self, **settings: str) -> Service:
        service = start(self.folder, **{**self.settings, **settings})
        self._services.append(service)
        return service

    def start_workers(
        self,
        queues: str = "transcribe,analyze,bulk",
        processes: int = 1,
        *,
        wait_ready: bool = True,
        **settings: str,
    ) -> Workers:
        path = self.folder / f"worker-{len(self._groups)}.log"
        known = {worker.owner for worker in self.workers()}
        with path.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "app", "worker", "--queues", queues, "--processes", str(processes)],
                env=environment(self.folder, **{**self.settings, **settings}),
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        workers = Workers(process, path)
        self._groups.append(workers)
        if wait_ready:
            wait_until(
                lambda: len([w for w in self.ready() if w.owner not in known]) >= processes,
                f"{processes} workers to be ready: {path}",
            )
        return workers

    def submit(
        self,
        call_id: str,
        *,
        audio: bytes | None = None,
        ring: bool = True,
        queue: Queue = Queue.TRANSCRIBE,
        webhook_url: str | None = None,
    ) -> None:
        """Take a call in as the API does. Without a ``ring``: as if it had ended before it could ring."""
        services, bell = self._own_client()
        writer = services.storage.create()
        writer.write(audio or tone())
        stored = writer.commit()
        options = CallOptions("en")
        services.calls.accept(
            NewCall(
                call_id,
                fingerprint(stored.sha256, options),
                stored.key,
                stored.sha256,
                stored.size,
                options=options,
                webhook_url=webhook_url,
                queue=queue,
            )
        )
        if ring:
            bell.ring(call_id, queue)

    def ring(self, call_id: str, queue: Queue) -> None:
        """Tell workers of a call, whether or not it waits."""
        self._own_client()[1].ring(call_id, queue)

    def note_rung(self, call_id: str) -> None:
        """As if workers had been told of it."""
        self._own_client()[0].work.rung([call_id])

    def rings_waiting(self) -> int:
        """How many rings lie at the broker."""
        return rings_waiting(self.own_settings())

    def complaints(self) -> tuple[str, ...]:
        """What `python -m app check-worker` would say."""
        return self._own_client()[0].workers.complaints()

    @property
    def storage(self) -> Storage:
        return self._own_client()[0].storage

    def record(self, call_id: str) -> CallRecord:
        services, _ = self._own_client()
        return services.calls.record(call_id)

    def wait_for_stage(self, call_id: str, stage: str) -> None:
        wait_until(lambda: self.record(call_id).stage == stage, f"{call_id} to be in stage {stage}")

    def wait_for_end(self, *call_ids: str) -> list[CallRecord]:
        """All these calls, finished."""
        for call_id in call_ids:
            wait_until(lambda call_id=call_id: self.record(call_id).status.is_final, f"{call_id} to end")  # type: ignore[misc]
        return [self.record(call_id) for call_id in call_ids]

    def workers(self) -> tuple[WorkerRecord, ...]:
        with self.database.snapshot() as session:
            return WorkerRepository(session).all()

    def states(self) -> list[str]:
        """What the workers say of themselves."""
        return [worker.state for worker in self.workers()]

    def ready(self) -> list[WorkerRecord]:
        return [worker for worker in self.workers() if worker.state == "ready"]

    def results(self, call_id: str) -> tuple[int, int]:
        """How many versions of a result the call has, and how many segments in all of them."""
        results, segments = table_of(ResultRow), table_of(SegmentRow)
        with self.database.snapshot() as session:
            versions = session.scalar(select(func.count()).where(results.c.call_id == call_id))
            pieces = session.scalar(
                select(func.count())
                .select_from(segments)
                .join(results, results.c.id == segments.c.result_id)
                .where(results.c.call_id == call_id)
            )
        return versions or 0, pieces or 0

    def row(self, call_id: str) -> dict[str, Any]:
        """Every column of the call."""
        calls = table_of(CallRow)
        with self.database.snapshot() as session:
            return dict(session.execute(select(calls).where(calls.c.call_id == call_id)).one()._mapping)

    def close(self) -> None:
        for workers in self._groups:
            kill_group(workers.process.pid)
            workers.process.wait()
        for service in self._services:
            if service.process.poll() is None:
                service.kill()
        if self._client is not None:
            self._client[1].stop()
            self._client[0].database.dispose()
        self.database.dispose()

    def _own_client(self) -> tuple[Services, CeleryBell]:
        with self._lock:
            if self._client is None:
                settings = self.own_settings()
                services = build_services(settings)
                bell = CeleryBell(settings, services.work)
                bell.start()
                self._client = services, bell
            return self._client


@contextmanager
def cluster(folder: Path, queue_url: str, **settings: str) -> Iterator[Cluster]:
    """An installation on a database of its own."""
    with ExitStack() as stack:
        found = Cluster(folder, stack.enter_context(postgres_url()), queue_url, **settings)
        try:
            yield found
        finally:
            found.close()
            leave_nothing_behind(found)


def leave_nothing_behind(installation: Cluster) -> None:
    """What is left at a broker that is away is not missed."""
    with suppress(OSError):
        forget(installation.own_settings())


def children_of(pid: int) -> list[int]:
    command = ["ps", "-o", "pid=", "--ppid", str(pid)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def kill_group(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def is_running(pids: Sequence[int]) -> bool:
    """Whether any of these processes is still there, and is more than an entry in a table."""
    shown = subprocess.run(
        ["ps", "-o", "stat=", "-p", ",".join(map(str, pids))], capture_output=True, text=True, check=False
    )
    return any(not state.startswith("Z") for state in shown.stdout.split())
