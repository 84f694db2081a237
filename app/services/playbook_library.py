"""Which playbook a call is analysed by: the published one of a name, else the file; compiled once."""

from __future__ import annotations

import logging
from collections import OrderedDict
from threading import Lock

from app.core.config import Settings
from app.core.exceptions import (
    ConfigurationError,
    DatabaseUnavailable,
    PlaybookInvalid,
    PlaybookMissing,
    UnknownPlaybook,
)
from app.db.migrate import is_current
from app.db.repositories.playbooks import PlaybookRepository
from app.db.session import Database
from app.schemas.playbook import PlaybookRevision
from app.services.coachable.compiled_playbook import CompiledPlaybook
from app.services.coachable.loader import load_playbook, parse_playbook, playbook_files
from app.services.coachable.playbook import Playbook
from app.services.coachable_service import CoachableService

log = logging.getLogger(__name__)

MOST_COMPILED = 32
"""Compiled playbooks that are kept, those used last."""


class PlaybookLibrary:
    """Hands out compiled playbooks by name. Thread-safe.

    Which revision is the published one is asked of the database for each call, so that every process goes by
    a new one at once. Files are read once, when they are first needed.
    """

    def __init__(self, database: Database, coachable: CoachableService, settings: Settings) -> None:
        self.default = settings.playbook
        """The name that holds where none is given."""
        self._database = database
        self._coachable = coachable
        self._folder = settings.playbook_dir
        self._compiled: OrderedDict[tuple[str, str], CompiledPlaybook] = OrderedDict()
        self._files: dict[str, CompiledPlaybook] = {}
        self._lock = Lock()

    def check_default(self) -> None:
        """Raises ConfigurationError where the default playbook is neither a file nor stored.

        The database is asked only where there is no such file; while it is away, nobody knows.
        """
        try:
            self._coachable.default  # noqa: B018 - it raises
        except PlaybookMissing:
            try:
                if is_current(self._database) and self._published(self.default) is not None:
                    return
            except DatabaseUnavailable:
                log.warning("playbook.unchecked", extra={"playbook": self.default})
                return
            raise

    def check(self, name: str | None) -> None:
        """Raises UnknownPlaybook, or PlaybookInvalid for a file that is broken, where a call may not ask for
        this playbook."""
        if name is not None and name != self.default and self._published(name) is None:
            self.file(name)

    def current(self, name: str | None = None) -> CompiledPlaybook:
        """The playbook as it holds now; None: the default one. One query by key.

        Raises UnknownPlaybook, and PlaybookInvalid for a file that is broken.
        """
        name = name or self.default
        revision = self._published(name)
        return self.file(name) if revision is None else self.revision(name, revision)

    def revision(self, name: str, revision: str) -> CompiledPlaybook:
        """A published revision, or the file where that is it. Raises UnknownPlaybook."""
        with self._lock:
            if (name, revision) in self._compiled:
                self._compiled.move_to_end((name, revision))
                return self._compiled[name, revision]
        with self._database.snapshot() as session:
            stored = PlaybookRepository(session).published(name, revision)
        if stored is None:
            file = self.file(name)
            if file.revision != revision:
                raise UnknownPlaybook(f"the playbook {name!r} has no published revision {revision!r}")
            return file
        compiled = CompiledPlaybook(parsed(stored))
        with self._lock:
            kept = self._compiled.setdefault((name, revision), compiled)
            while len(self._compiled) > MOST_COMPILED:
                self._compiled.popitem(last=False)
        return kept

    def file(self, name: str) -> CompiledPlaybook:
        """The playbook of a file. Raises UnknownPlaybook, and PlaybookInvalid where it is broken."""
        with self._lock:
            if name in self._files:
                return self._files[name]
        try:
            found = self._coachable.default if name == self.default else self._read(name)
        except PlaybookMissing:
            known = ", ".join(self.names())
            raise UnknownPlaybook(f"there is no playbook {name!r}; known: {known}") from None
        except ConfigurationError as error:
            log.warning("playbook.broken", extra={"playbook": name, "detail": error.detail})
            detail = f"the file of the playbook {name!r} is broken; the log of the service names it"
            raise PlaybookInvalid(detail, errors=error.errors) from None
        with self._lock:
            return self._files.setdefault(name, found)

    def files(self) -> tuple[str, ...]:
        """Names of the playbooks that are there as files."""
        return playbook_files(self._folder)

    def names(self) -> tuple[str, ...]:
        """Every name that a call may ask for."""
        with self._database.snapshot() as session:
            published = PlaybookRepository(session).current()
        return tuple(sorted({*self.files(), *published}))

    def _read(self, name: str) -> CompiledPlaybook:
        return CompiledPlaybook(load_playbook(name, self._folder))

    def _published(self, name: str) -> str | None:
        with self._database.snapshot() as session:
            return PlaybookRepository(session).current_revision(name)


def parsed(stored: PlaybookRevision) -> Playbook:
    """What a stored text says. Raises PlaybookInvalid where this version of the service cannot read it."""
    facts = stored.facts
    try:
        return parse_playbook(stored.yaml, f"{facts.name} {facts.revision}", facts.name)
    except ConfigurationError as error:
        raise PlaybookInvalid(error.detail, errors=error.errors) from None
