"""Back catalogues for tests: a folder, the database and storage that it goes to, and somebody at work."""

from __future__ import annotations

from pathlib import Path

from app.core.exceptions import DatabaseUnavailable
from app.db.session import Database
from app.schemas.call import ALL_QUEUES, CallRecord, NewCall
from app.schemas.catalogue import Recording, Settled
from app.services.audio_service import AudioService
from app.services.call_service import Accepted, CallService, Intake
from app.services.catalogue_service import CatalogueService, Next
from app.services.ownership import new_owner
from app.services.room import Room
from app.services.work_service import Work, WorkService
from app.storage.intents import Intents
from app.storage.local import LocalStorage
from tests.db.values import analysis
from tests.process.service import tone
from tests.settings import make_settings


class FlakyCalls:
    """The service of calls, whose database goes away once, before or after the change was kept."""

    def __init__(self, calls: CallService, *, after: bool) -> None:
        self._calls = calls
        self._after = after
        self._left = 1

    def accept(self, new: NewCall) -> Accepted:
        if self._left:
            self._left -= 1
            if self._after:
                self._calls.accept(new)
            raise DatabaseUnavailable
        return self._calls.accept(new)


class Site:
    """A catalogue, the database and storage that it goes to, and somebody who works there."""

    def __init__(self, database: Database, folder: Path) -> None:
        settings = make_settings(folder)
        self.folder = folder / "catalogue"
        self.folder.mkdir()
        self.notes = folder / "notes"
        self.database = database
        self.storage = LocalStorage.opened(settings)
        self.audio = AudioService(settings)
        self.calls = CallService(database, self.storage, room=Room(0, 1), forget_elsewhere=lambda _: None)
        self.work = WorkService(database, self.storage, new_owner(), lease_s=30, max_attempts=3)
        self.services: list[CatalogueService] = []
        self.service = self.another()

    def another(self, calls: object | None = None) -> CatalogueService:
        """As another process would have it."""
        service = CatalogueService(
            self.database,
            self.storage,
            calls or self.calls,  # type: ignore[arg-type]
            self.audio,
            Intents(self.notes),
            most_bytes=100_000,
            folders=(self.folder, self.folder / "not yet there"),
        )
        self.services.append(service)
        return service

    def file(self, name: str = "a.wav", data: bytes | None = None, **details: object) -> Recording:
        path = self.folder / name
        path.write_bytes(tone(0.1) if data is None else data)
        return Recording(name, path, f"CALL-{name}", **details)  # type: ignore[arg-type]

    def load(self, recording: Recording) -> Intake:
        return self.service.take_in(self.service.store(recording))

    def take(self) -> Work:
        work = self.work.take(ALL_QUEUES)
        assert work is not None
        return work

    def finish(self) -> None:
        work = self.take()
        assert self.work.complete(work.claim, analysis(work.claim.call_id))

    def record(self, recording: Recording) -> CallRecord | None:
        return self.service.known((recording.call_id,)).get(recording.call_id)

    def standing(self, recording: Recording, *, retry_failed: bool = False) -> Settled | Next:
        return self.service.standing(recording, self.record(recording), retry_failed=retry_failed)

    def stored(self) -> list[str]:
        return [file.key for file in self.storage.listed()]
