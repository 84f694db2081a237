"""The tables that lists of calls are read from: words to search in, and numbers to show."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models import Base, ResultId
from app.db.types import StoredJson

LEXEMES = "array_to_tsvector(array_remove(string_to_array(translate(words, E'\\n', ' '), ' '), ''))"
"""What PostgreSQL looks words up in; not by its parser, as a word shall be the same on both databases."""


class SearchTextRow(Base):
    """The words of a call's current result, as ``app.schemas.search.lines_of`` gives them.

    ``indices``: of the segments whose words the lines are, where these are not 0, 1, 2 …

    What finds them only the migration can say: on SQLite an FTS5 table, ``search_index``, that triggers keep
    in step; on PostgreSQL an index of ``LEXEMES``, ``ix_search_texts_words``.
    """

    __tablename__ = "search_texts"

    result_id: Mapped[int] = mapped_column(
        ResultId, ForeignKey("results.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    words: Mapped[str]
    indices: Mapped[list[Any] | None] = mapped_column(StoredJson(none_as_null=True))


class OverviewRow(Base):
    """What lists show of a result, as in ``app.schemas.overview``."""

    __tablename__ = "overviews"

    result_id: Mapped[int] = mapped_column(
        ResultId, ForeignKey("results.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    share_of_speech: Mapped[float | None]
    sentiment_score: Mapped[float | None]
    sentiment_shift: Mapped[float | None]
    quarters: Mapped[list[Any]] = mapped_column(StoredJson())
    curve: Mapped[list[Any]] = mapped_column(StoredJson())
