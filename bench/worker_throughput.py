"""Calls a second by 1, 2, 4 and 8 worker processes whose recogniser takes a second a call, in one run.

Real workers on a real broker, a real PostgreSQL database, real decoding, voice activity, rules and sentiment;
the recogniser alone is scripted: it sleeps. Once more with one that answers at once, for what a call costs
beside being heard. Measured while every process is busy: after the first calls and before the last ones.
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from app.db.models import CallRow, table_of
from app.schemas.analysis import CallStatus
from bench.report import Figure, write
from tests.process.brokers import broker_url
from tests.process.cluster import DEFAULTS, Cluster, Workers, cluster
from tests.process.service import write_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PROCESSES = (1, 2, 4, 8)
CALLS_EACH = 24
WITHOUT_HEARING = 120
HEARING_S = 1.0
LEAST_SPEED_UP = 7.5
BROKER = "rabbitmq"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Run:
    """``processes`` finished ``calls`` in ``seconds``, and used ``cpu_s`` of the processor, their engine and
    decoder processes included; ``machine_cpu_s``: the whole machine, with database, broker and bench."""

    processes: int
    calls: int
    seconds: float
    cpu_s: float
    machine_cpu_s: float

    @property
    def rate(self) -> float:
        return self.calls / self.seconds


def measure() -> list[Figure]:
    runs = [_run(count, count * CALLS_EACH, HEARING_S) for count in PROCESSES]
    unheard = _run(1, WITHOUT_HEARING, 0.0)
    one, most = runs[0], runs[-1]
    figures = [
        Figure(
            f"calls a second, {most.processes} processes against one",
            most.rate / one.rate, "x", LEAST_SPEED_UP, at_most=False,
        ),
        Figure("calls a second, one process", one.rate, "/s"),
        Figure(f"calls a second, {most.processes} processes", most.rate, "/s"),
        Figure(f"processor time a call, {most.processes} processes", most.cpu_s / most.calls, "s"),
        Figure("time a call, recogniser of 0 s, one process", 1 / unheard.rate, "s"),
        Figure("processor time a call, recogniser of 0 s", unheard.cpu_s / unheard.calls, "s"),
    ]  # fmt: skip

    def draw(axes: Axes) -> None:
        counts = [run.processes for run in runs]
        axes.plot(counts, [one.rate * count for count in counts], "--", color="#999999", label="one, n times")
        axes.plot(counts, [run.rate for run in runs], "o-", color="#3b6ea8", label="measured")
        axes.set_xticks(counts)
        axes.set_xlabel(f"worker processes on {os.cpu_count()} cores, {HEARING_S:g} s of hearing a call")
        axes.set_ylabel("calls a second")
        axes.legend(frameon=False)

    details = {"broker": BROKER, "runs": [asdict(run) for run in (*runs, unheard)]}
    write("worker_throughput", figures, draw, details)
    return figures


def _run(processes: int, calls: int, hearing_s: float) -> Run:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_script(folder, faults=[{"do": "sleep", "seconds": hearing_s}] if hearing_s else [])
        settings = {**DEFAULTS, "max_concurrent_calls": "1", "log_level": "WARNING", "engine_threads": "1"}
        with cluster(folder, broker_url(BROKER), **settings) as installation:
            for number in range(calls):
                installation.submit(f"CALL-{number}", ring=False)
            workers = installation.start_workers(processes=processes)
            return _watch(installation, workers, processes, calls)


def _watch(installation: Cluster, workers: Workers, processes: int, calls: int) -> Run:
    begin, end = 2 * processes, calls - 2 * processes
    while (begun := _finished(installation)) < begin:
        time.sleep(0.05)
    began, cpu_s, machine_cpu_s = time.monotonic(), _cpu_of(workers), _cpu_of_machine()
    while (ended := _finished(installation)) < end:
        time.sleep(0.1)
    return Run(
        processes,
        ended - begun,
        time.monotonic() - began,
        _cpu_of(workers) - cpu_s,
        _cpu_of_machine() - machine_cpu_s,
    )


def _finished(installation: Cluster) -> int:
    calls = table_of(CallRow)
    with installation.database.snapshot() as session:
        query = select(func.count()).where(calls.c.status == CallStatus.COMPLETED)
        failed = session.scalar(select(func.count()).where(calls.c.status == CallStatus.FAILED))
        assert not failed, f"{failed} calls failed"
        return session.scalar(query) or 0


def _cpu_of(workers: Workers) -> float:
    """Seconds of the processor that the workers, their engines and what those waited for have used."""
    pids = [*workers.children(), *workers.engines()]
    return sum(_cpu_of_process(pid) for pid in pids)


def _cpu_of_process(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:  # a decoder that has ended: its time is its parent's now
        return 0.0
    return sum(int(ticks) for ticks in fields[11:15]) / _TICKS  # user and system, its own and its children's


def _cpu_of_machine() -> float:
    user, nice, system = (int(ticks) for ticks in Path("/proc/stat").read_text().split()[1:4])
    return (user + nice + system) / _TICKS


if __name__ == "__main__":
    measure()
