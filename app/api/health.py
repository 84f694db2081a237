"""Liveness and readiness."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app import __version__
from app.api.deps import RuntimeDep
from app.api.examples import READINESS
from app.core.clock import utc_now
from app.core.exceptions import AppError
from app.db.migrate import check_current
from app.schemas.call import Queue
from app.schemas.engine import EngineState
from app.schemas.health_models import EngineCheck, Health, QueueCheck, Readiness, ReadyChecks
from app.services.engine_chain import EngineView
from app.workers.runtime import Runtime

router = APIRouter(tags=["health"])

NEEDED_STAGES = ("stt", "sentiment", "diarization")


@router.get("/health", summary="Is the process alive?")
async def health() -> Health:
    """Liveness only: touches neither the database nor an engine, and answers while a model loads."""
    return Health(version=__version__, timestamp=utc_now().replace(microsecond=0))


@router.get(
    "/ready",
    summary="Can calls be analysed now?",
    responses={
        200: {"content": {"application/json": {"example": READINESS}}},
        503: {"model": Readiness, "description": "A needed part is missing; the checks say which."},
    },
)
def ready(runtime: RuntimeDep, response: Response) -> Readiness:
    """200 as soon as the database, the storage and one engine of each needed stage are ready.

    503 again as soon as the service is told to stop, while it still answers. A lesser engine counts, and is
    named with the reason why a better one is not in use; so does a database whose replica is away, as the
    primary answers for it.

    Where workers elsewhere do the work, no engine is needed here: the answer is `degraded`, and still 200,
    while the broker cannot be reached or nobody takes calls from `transcribe` or `analyze`: calls are kept.
    """
    services = runtime.services
    views = {**(runtime.engines.views() if runtime.works_here else {}), "tts": services.tts_chain.views()}
    engines = {stage: engine_check(chain) for stage, chain in views.items()}
    checks = ReadyChecks(
        service="stopping" if runtime.is_stopping else "ok",
        database=_database(runtime),
        database_replica=services.database.replica_state(),
        storage=_storage(runtime),
        engines=engines,
        broker=None if runtime.works_here else runtime.broker_state(),
        queues={} if runtime.works_here else _queues(runtime),
    )
    is_ready = (
        checks.service == checks.database == checks.storage == "ok"
        and all(check.state == "ready" for stage, check in engines.items() if stage in NEEDED_STAGES)
    )  # fmt: skip
    if not is_ready:
        response.status_code = 503
        response.headers["Retry-After"] = "5"
        return Readiness(status="not_ready", checks=checks)
    return Readiness(status="degraded" if _waits(checks) else "ready", checks=checks)


def _waits(checks: ReadyChecks) -> bool:
    """Whether new calls would lie longer than they need to."""
    unserved = [queue for queue, check in checks.queues.items() if check.state == "unserved"]
    return checks.broker not in (None, "ok") or bool({Queue.TRANSCRIBE, Queue.ANALYZE}.intersection(unserved))


def _queues(runtime: Runtime) -> dict[Queue, QueueCheck]:
    """Who takes calls from each queue; nobody is known while the database is away."""
    try:
        at_work = runtime.services.workers.at_work()
    except AppError:
        return {}
    return {
        queue: QueueCheck(state="served" if count else "unserved", workers=count)
        for queue, count in at_work.items()
    }


def engine_check(chain: tuple[EngineView, ...]) -> EngineCheck:
    """The engine that would answer now: the first loaded one, else the first on its way, else none."""
    ready = [view for view in chain if view.state is EngineState.READY and not view.in_reserve]
    loading = [view for view in chain if view.state is EngineState.LOADING]
    chosen = next(iter([*ready, *loading]), None)
    better = chain[: chain.index(chosen)] if chosen else chain
    reasons = [f"{view.label} is not usable: {view.reason}" for view in better]
    if chosen and chosen.state is EngineState.LOADING:
        reasons.append(f"{chosen.label}: {chosen.reason}")
    if chosen and chosen.lesser:
        reasons.append(f"{chosen.label}: {chosen.lesser}")
    fixes = [view.fix for view in better if view.fix]
    return EngineCheck(
        engine=chosen.label if chosen else None,
        state=chosen.state.value if chosen else "unavailable",
        degraded=bool(better and not (chosen and chosen.as_good)) or bool(chosen and chosen.lesser),
        reason="; ".join(reasons) or None,
        fix="; ".join(dict.fromkeys(fixes)) or None,
        engines=[
            {"engine": view.label, "state": view.state.value, "reason": view.reason, "fix": view.fix}
            for view in chain
        ],
    )


def _database(runtime: Runtime) -> str:
    try:
        runtime.services.database.ping()
        check_current(runtime.services.database)
    except AppError as error:
        return error.detail
    return "ok"


def _storage(runtime: Runtime) -> str:
    try:
        runtime.services.storage.check()
    except AppError as error:
        return error.detail
    return "ok"
