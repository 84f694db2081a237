"""Parts of the service that are away, full or stopping."""

from __future__ import annotations

from app.core.exceptions.base import AppError, Unavailable


class EngineUnavailable(Unavailable):
    """No engine of a stage is usable; ``code`` is ``<stage>_unavailable``."""

    title = "No engine is usable for this"

    def __init__(self, stage: str, detail: str = "", *, retry_after_s: int = 30) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)
        self.stage = stage
        self.code = f"{stage}_unavailable"


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"
    title = "The database cannot be reached"
    commit_unknown = False
    """Whether the change may have been kept all the same."""


class StorageUnavailable(Unavailable):
    code = "storage_unavailable"
    title = "The audio storage cannot be reached"


class Busy(Unavailable):
    code = "busy"
    title = "Too many calls are in work"


class ServiceStopping(Unavailable):
    code = "stopping"
    title = "The service is stopping and takes no new work"


class CallInterrupted(Unavailable):
    code = "interrupted"
    title = "The service is stopping; the call is not lost"


class InsufficientStorage(AppError):
    code = "insufficient_storage"
    status = 507
    title = "There is no room left to store the recording"
