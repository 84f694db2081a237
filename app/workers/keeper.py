"""Signs of life of the calls in work here, and the look for calls whose workers are gone."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence

from app.core.config import Settings
from app.core.exceptions import AppError
from app.services.work_service import WorkService
from app.workers.job_runner import JobRunner

log = logging.getLogger(__name__)

LONGEST_TICK_S = 2.0
"""A cancelled call is stopped within this time and what its stage needs to notice it."""


class Keeper:
    """One thread a process. What it learns of a call in work that is ours no more, it tells the work.

    ``each_tick`` and ``each_round`` are further errands; one that fails keeps no other from being done. A
    round, which looks for lost calls too, comes every ``REAPER_S`` seconds, but not in all processes at once.
    """

    def __init__(
        self,
        settings: Settings,
        work: WorkService,
        runner: JobRunner,
        *,
        each_tick: Sequence[Callable[[], object]] = (),
        each_round: Sequence[Callable[[], object]] = (),
    ) -> None:
        self._settings = settings
        self._work = work
        self._runner = runner
        self._each_tick = (self._beat, *each_tick)
        self._each_round = (self.reap, *each_round)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(LONGEST_TICK_S)

    def _keep(self) -> None:
        round_at = 0.0
        tick_s = min(self._settings.heartbeat_s, LONGEST_TICK_S)
        while not self._stopping.is_set():
            self._do(self._each_tick)
            if time.monotonic() >= round_at:
                self._do(self._each_round)
                round_at = time.monotonic() + self._settings.reaper_s * random.uniform(0.9, 1)  # noqa: S311
            self._stopping.wait(tick_s)

    def _do(self, errands: Sequence[Callable[[], object]]) -> None:
        for errand in errands:
            try:
                errand()
            except AppError as error:
                log.warning("keeper.failed", extra={"code": error.code})
            except Exception:
                log.exception("keeper.failed")

    def _beat(self) -> None:
        for claim, progress in self._runner.active():
            if not self._work.beat(claim, progress.percent):
                progress.stop()

    def reap(self) -> None:
        """Queue again what was lost."""
        if self._work.take_back_lost({claim.call_id for claim, _ in self._runner.active()}):
            self._runner.ring()
