"""What has to be done now and then, each chore in a thread of its own, so that none waits for another."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from app.core.clock import utc_now
from app.core.exceptions import AppError
from app.services.bootstrap import Services

log = logging.getLogger(__name__)

OFTEN_S = 15.0
STORAGE_S = 600.0
SPEECH_S = 600.0
REELS_S = 600.0
RETENTION_S = 3600.0
KEYS_S = 3600.0
RECONCILIATION_S = 24 * 3600.0
GO_ON_S = 600.0
"""To the next pass of a comparison that has not come to its end."""
AGAIN_S = 300.0
"""To the next try of a chore that failed, unless it is due sooner."""

Chore = Callable[[], float]
"""Does it once; returns the seconds until it is due again. Raises AppError."""


class Housekeeping:
    """Every chore is done at the start, in the background, and again when it is due."""

    def __init__(self, chores: Mapping[str, Chore], stopping: threading.Event) -> None:
        self._chores = chores
        self._stopping = stopping

    def start(self) -> None:
        for name in self._chores:
            threading.Thread(target=self._keep, args=(name,), name=name, daemon=True).start()

    def _keep(self, name: str) -> None:
        chore = self._chores[name]
        pause_s = 0.0
        while not self._stopping.wait(pause_s):
            pause_s = AGAIN_S
            try:
                pause_s = chore()
            except AppError as error:
                log.error("chore.failed", extra={"chore": name, "code": error.code, "detail": error.detail})
            except Exception:
                log.exception("chore.failed", extra={"chore": name})


def chores_of(services: Services, stopping: threading.Event) -> dict[str, Chore]:
    """What a service has to do beside its calls."""

    def uploads() -> float:
        services.storage.check()
        removed = services.storage.sweep()
        if removed:
            log.info("uploads.removed", extra={"uploads": removed})
        return STORAGE_S

    def speech() -> float:
        services.tts.sweep()
        return SPEECH_S

    def reels() -> float:
        services.reels.sweep()
        return REELS_S

    def retention() -> float:
        services.retention.sweep()
        return RETENTION_S

    def recordings() -> float:
        return RECONCILIATION_S if services.reconciliation.run(stopping.wait).ended else GO_ON_S

    def traces() -> float:
        services.traces.remove()
        return OFTEN_S

    def keys() -> float:
        services.calls.forget_old_keys(utc_now())
        return KEYS_S

    return {
        "uploads": uploads,
        "keys": keys,
        "speech": speech,
        "reels": reels,
        "retention": retention,
        "recordings": recordings,
        "traces": traces,
    }
