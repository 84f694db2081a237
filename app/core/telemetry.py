"""What a process counts of its own work, for Prometheus. No ids, names or texts as labels."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, start_http_server
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from app.core.shared_counters import shared_folder

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_STAGE_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
_PACE_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10)


class Telemetry:
    """Counters of one process, or its share of those of several. Thread-safe."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._stages = Histogram(
            "darwix_stage_seconds",
            "Time that a stage of a call took.",
            ["stage"],
            buckets=_STAGE_BUCKETS,
            registry=self._registry,
        )
        self._ended = Counter(
            "darwix_calls_ended",
            "Work on calls that ended, by what became of it; code is empty without a failure.",
            ["outcome", "code"],
            registry=self._registry,
        )
        self._pace = Histogram(
            "darwix_call_realtime_factor",
            "Seconds of work for a second of recording, of calls with a result.",
            buckets=_PACE_BUCKETS,
            registry=self._registry,
        )
        self._audio = Counter(
            "darwix_audio_seconds",
            "Length of the recordings of calls with a result.",
            registry=self._registry,
        )
        self._no_text = Counter(
            "darwix_calls_without_text",
            "Calls whose recording was analysed and gave no word.",
            registry=self._registry,
        )

    def stage_ended(self, stage: str, seconds: float) -> None:
        self._stages.labels(stage).observe(seconds)

    def call_ended(self, outcome: str, code: str = "") -> None:
        """``outcome``: a final status, or what else ended the work (`handed_on`, `retried`, `gone`)."""
        self._ended.labels(outcome, code).inc()

    def call_analysed(self, audio_s: float, work_s: float, *, has_text: bool) -> None:
        """A call has a result: ``work_s`` seconds of work for ``audio_s`` seconds of recording."""
        self._audio.inc(audio_s)
        if audio_s > 0:
            self._pace.observe(work_s / audio_s)
        if not has_text:
            self._no_text.inc()

    def exposition(self, *more: Collector) -> bytes:
        """Everything that was counted, and what ``more`` finds now, in Prometheus' text format."""
        registry = CollectorRegistry()
        if shared_folder() is None:
            registry.register(_Of(self._registry))
        else:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        for collector in more:
            registry.register(collector)
        return generate_latest(registry)


class _Of(Collector):
    """The metrics of another registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> list[Metric]:
        return list(self._registry.collect())


def serve_shared(host: str, port: int) -> None:
    """Tell, at this address, what all processes that count together have counted. Raises OSError."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    start_http_server(port, host, registry)
