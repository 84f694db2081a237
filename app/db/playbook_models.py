"""The tables of stored playbooks and their revisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models import Base, ResultId
from app.db.types import IdText

_PUBLISHED = text("state = 'published'")
_DRAFT = text("state = 'draft'")


class PlaybookRow(Base):
    """A stored playbook; ``current_revision`` is the published one that calls are analysed by, if any is."""

    __tablename__ = "playbooks"

    name: Mapped[str] = mapped_column(IdText, primary_key=True)
    current_revision: Mapped[str | None]
    created_at: Mapped[datetime]


class PlaybookRevisionRow(Base):
    """A text of a playbook. A published one never changes: a trigger of the database refuses it.

    ``revision`` is the hash of its contents, ``version`` its author's word, ``rules`` how many it has,
    ``languages`` those that any rule in words is for; ``updated_at`` is when its text was last written.
    """

    __tablename__ = "playbook_revisions"
    __table_args__ = (
        Index(
            "ix_playbook_revisions_published",
            "name",
            "revision",
            unique=True,
            sqlite_where=_PUBLISHED,
            postgresql_where=_PUBLISHED,
        ),
        Index(
            "ix_playbook_revisions_draft", "name", unique=True, sqlite_where=_DRAFT, postgresql_where=_DRAFT
        ),
    )

    id: Mapped[int] = mapped_column(ResultId, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(IdText, ForeignKey("playbooks.name", ondelete="CASCADE"))
    revision: Mapped[str]
    version: Mapped[str]
    rules: Mapped[int]
    languages: Mapped[list[Any]]
    state: Mapped[str]
    yaml: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
