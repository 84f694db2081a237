"""GET /metrics: how the service fares, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.api.deps import RuntimeDep
from app.api.errors import problem_responses
from app.core.telemetry import CONTENT_TYPE
from app.workers.queue_gauges import QueueGauges

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    summary="Counters and gauges in Prometheus' text format",
    response_class=Response,
    responses={
        200: {
            "content": {
                "text/plain": {"example": 'darwix_queue_depth{queue="transcribe"} 3.0\n'},
            }
        },
        **problem_responses(401, 403, 500),
    },
)
def read_telemetry(runtime: RuntimeDep) -> Response:
    """Depth and oldest age of each queue, time of each stage, speed against real time, failures by code, and
    calls whose audio gave no text. Queues are the whole installation's; the rest is counted by the
    processes of this service alone, and workers elsewhere tell theirs at `WORKER_METRICS_PORT`.
    """
    found = runtime.telemetry.exposition(QueueGauges(runtime.services.work))
    return Response(found, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})
