"""Stored playbooks: drafts that may change, published revisions that never do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.db.models import table_of
from app.db.playbook_models import PlaybookRevisionRow, PlaybookRow
from app.db.repositories.statements import insert_new, touched
from app.schemas.playbook import PlaybookRevision, RevisionFacts, RevisionState

_PLAYBOOKS = table_of(PlaybookRow)
_REVISIONS = table_of(PlaybookRevisionRow)
_FACTS = [column for column in _REVISIONS.c if column.name != "yaml"]
_IS_DRAFT = _REVISIONS.c.state == RevisionState.DRAFT
_IS_PUBLISHED = _REVISIONS.c.state == RevisionState.PUBLISHED
_IS_CURRENT = and_(
    _PLAYBOOKS.c.name == _REVISIONS.c.name, _PLAYBOOKS.c.current_revision == _REVISIONS.c.revision
)


class PlaybookRepository:
    """All SQL about stored playbooks, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def current_revision(self, name: str) -> str | None:
        """The published revision that holds now: one row by its key."""
        return self._session.scalar(select(_PLAYBOOKS.c.current_revision).where(_PLAYBOOKS.c.name == name))

    def published(self, name: str, revision: str) -> PlaybookRevision | None:
        return self._one(_of(name).where(_IS_PUBLISHED, _REVISIONS.c.revision == revision))

    def draft(self, name: str) -> PlaybookRevision | None:
        return self._one(_of(name).where(_IS_DRAFT))

    def current(self) -> dict[str, RevisionFacts]:
        """What holds now, by name."""
        return self._facts(select(*_FACTS).join(_PLAYBOOKS, _IS_CURRENT).where(_IS_PUBLISHED))

    def drafts(self) -> dict[str, RevisionFacts]:
        return self._facts(select(*_FACTS).where(_IS_DRAFT))

    def revisions(self, name: str) -> tuple[RevisionFacts, ...]:
        """The draft, then the published ones, newest first."""
        newest = (_IS_DRAFT.desc(), _REVISIONS.c.published_at.desc(), _REVISIONS.c.id.desc())
        query = select(*_FACTS).where(_REVISIONS.c.name == name).order_by(*newest)
        return tuple(_facts_of(row) for row in self._session.execute(query))

    def count(self) -> int:
        return self._session.scalar(select(func.count()).select_from(_PLAYBOOKS)) or 0

    def lock(self, name: str) -> bool:
        """Nobody else can change the playbook until this transaction ends. False where it has no row."""
        query = select(_PLAYBOOKS.c.name).where(_PLAYBOOKS.c.name == name).with_for_update()
        return self._session.scalar(query) is not None

    def add(self, name: str, now: datetime) -> None:
        """A row without any revision, locked; nothing where there is one."""
        insert_new(self._session, _PLAYBOOKS, {"name": name, "current_revision": None, "created_at": now})
        self.lock(name)

    def put_draft(self, draft: PlaybookRevision, now: datetime) -> None:
        """Make it the playbook's draft, in the place of an earlier one. The playbook has a row."""
        facts = draft.facts
        values: dict[str, Any] = {
            "revision": facts.revision,
            "version": facts.version,
            "rules": facts.rules,
            "languages": list(facts.languages),
            "yaml": draft.yaml,
            "updated_at": now,
        }
        changed = update(_REVISIONS).where(_REVISIONS.c.name == facts.name, _IS_DRAFT).values(values)
        if touched(self._session, changed) == 0:
            values |= {"name": facts.name, "state": RevisionState.DRAFT, "created_at": now}
            self._session.execute(insert(_REVISIONS), values)

    def drop_draft(self, name: str) -> bool:
        """Remove the draft, and the row of a playbook that was never published; False where there is none."""
        dropped = touched(self._session, delete(_REVISIONS).where(_REVISIONS.c.name == name, _IS_DRAFT))
        never_published = _PLAYBOOKS.c.current_revision.is_(None)
        self._session.execute(delete(_PLAYBOOKS).where(_PLAYBOOKS.c.name == name, never_published))
        return dropped == 1

    def publish_draft(self, name: str, now: datetime) -> None:
        """From now on the draft never changes."""
        self._session.execute(
            update(_REVISIONS)
            .where(_REVISIONS.c.name == name, _IS_DRAFT)
            .values(state=RevisionState.PUBLISHED, published_at=now)
        )

    def make_current(self, name: str, revision: str) -> None:
        self._session.execute(
            update(_PLAYBOOKS).where(_PLAYBOOKS.c.name == name).values(current_revision=revision)
        )

    def _one(self, query: Select[Any]) -> PlaybookRevision | None:
        row = self._session.execute(query).one_or_none()
        return None if row is None else PlaybookRevision(_facts_of(row), row.yaml)

    def _facts(self, query: Select[Any]) -> dict[str, RevisionFacts]:
        rows = self._session.execute(query.order_by(_REVISIONS.c.name))
        return {row.name: _facts_of(row) for row in rows}


def _of(name: str) -> Select[Any]:
    return select(_REVISIONS).where(_REVISIONS.c.name == name)


def _facts_of(row: Row[Any]) -> RevisionFacts:
    return RevisionFacts(
        name=row.name,
        revision=row.revision,
        version=row.version,
        rules=row.rules,
        languages=tuple(row.languages),
        state=RevisionState(row.state),
        created_at=row.created_at,
        updated_at=row.updated_at,
        published_at=row.published_at,
    )
