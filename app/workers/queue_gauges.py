"""How it stands with the queues, asked from the database whenever Prometheus asks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.core.clock import utc_now
from app.core.exceptions import AppError
from app.schemas.call import QueueState
from app.services.work_service import WorkService

log = logging.getLogger(__name__)


class QueueGauges(Collector):
    """The same figures from every process of the service. Without the database, only that it is away."""

    def __init__(self, work: WorkService) -> None:
        self._work = work

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily("darwix_database_up", "Whether the database answers.")
        try:
            states = self._work.queues()
        except AppError as error:
            log.warning("metrics.database_away", extra={"code": error.code})
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from _gauges(states, utc_now())


def _gauges(states: tuple[QueueState, ...], now: datetime) -> Iterator[GaugeMetricFamily]:
    depth = GaugeMetricFamily("darwix_queue_depth", "Calls that wait.", labels=["queue"])
    in_work = GaugeMetricFamily("darwix_queue_in_work", "Calls that somebody works on.", labels=["queue"])
    oldest = GaugeMetricFamily(
        "darwix_queue_oldest_age_seconds", "How long the first call has waited.", labels=["queue"]
    )
    for state in states:
        depth.add_metric([state.queue], state.waiting)
        in_work.add_metric([state.queue], state.in_work)
        age_s = max(0.0, (now - state.oldest).total_seconds()) if state.oldest else 0.0
        oldest.add_metric([state.queue], age_s)
    yield from (depth, in_work, oldest)
