"""Search in transcripts, and what lists show of results; both are made for the results that are there."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.schemas.overview import curve_of
from app.schemas.search import gaps_in, lines_of

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

AT_A_TIME = 100
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_LEXEMES = "array_to_tsvector(array_remove(string_to_array(translate(words, E'\\n', ' '), ' '), ''))"
_ON_SQLITE = (
    # Words as they are, split at blanks and line ends alone; without places, as phrases are looked up in the
    # words themselves: a third of the size, and so of what is written anew after deletions.
    "CREATE VIRTUAL TABLE search_index USING fts5(words, content='search_texts', content_rowid='result_id',"
    " tokenize='ascii', detail=none, columnsize=0)",
    "CREATE TRIGGER search_texts_added AFTER INSERT ON search_texts BEGIN"
    " INSERT INTO search_index (rowid, words) VALUES (new.result_id, new.words); END",
    "CREATE TRIGGER search_texts_removed AFTER DELETE ON search_texts BEGIN"
    " INSERT INTO search_index (search_index, rowid, words)"
    " VALUES ('delete', old.result_id, old.words); END",
)
_calls = sa.table("calls", sa.column("current_result_id"))
_results = sa.table("results", sa.column("id"), sa.column("duration_s"), sa.column("metrics", sa.JSON()))
_FIGURES = ("share_of_speech", "sentiment_score", "sentiment_shift")
_SEGMENT = ("result_id", "idx", "start_s", "end_s", "text")
_FEELING = ("sentiment_score", "sentiment_positive", "sentiment_negative")
_segments = sa.table("segments", *(sa.column(name) for name in (*_SEGMENT, *_FEELING)))


def upgrade() -> None:
    texts = op.create_table(
        "search_texts",
        *_under_result("search_texts"),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("indices", sa.JSON(none_as_null=True), nullable=True),
    )
    overviews = op.create_table(
        "overviews",
        *_under_result("overviews"),
        *(sa.Column(name, sa.Double(), nullable=True) for name in _FIGURES),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("quarters", "curve")),
    )
    is_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in _ON_SQLITE if is_sqlite else ():
        op.execute(statement)
    _fill(op.get_bind(), texts, overviews)
    if not is_sqlite:
        op.create_index("ix_search_texts_words", "search_texts", [sa.text(_LEXEMES)], postgresql_using="gin")


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TABLE search_index")
    op.drop_table("search_texts")
    op.drop_table("overviews")


def _under_result(table: str) -> tuple[sa.Column[int], sa.PrimaryKeyConstraint, sa.ForeignKeyConstraint]:
    return (
        sa.Column("result_id", _KEY, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("result_id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["result_id"], ["results.id"], name=f"fk_{table}_result_id_results", ondelete="CASCADE"
        ),
    )


def _fill(connection: sa.Connection, texts: sa.Table, overviews: sa.Table) -> None:
    after = 0
    while rows := connection.execute(_page(after)).all():
        ids = [row.id for row in rows]
        segments = _segments_of(connection, ids)
        connection.execute(overviews.insert(), [_overview(row, segments.get(row.id, [])) for row in rows])
        current = connection.scalars(
            sa.select(_calls.c.current_result_id).where(_calls.c.current_result_id.in_(ids))
        )
        lines = [
            {
                "result_id": key,
                "words": lines_of(part.text for part in segments[key]),
                "indices": gaps_in([part.idx for part in segments[key]]),
            }
            for key in current
            if key in segments
        ]
        if lines:
            connection.execute(texts.insert(), lines)
        after = ids[-1]


def _page(after: int) -> sa.Select[Any]:
    metrics = _results.c.metrics
    parts = {
        "share_of_speech": metrics["share_of_speech"],
        "sentiment_score": metrics[("sentiment", "score")],
        "sentiment_shift": metrics[("sentiment", "shift")],
        "quarters": metrics[("sentiment", "quarters")],
    }
    columns = [part.label(name) for name, part in parts.items()]
    query = sa.select(_results.c.id, _results.c.duration_s, *columns)
    return query.where(_results.c.id > after).order_by(_results.c.id).limit(AT_A_TIME)


def _segments_of(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[sa.Row[Any]]]:
    rows = connection.execute(
        sa.select(_segments)
        .where(_segments.c.result_id.in_(ids))
        .order_by(_segments.c.result_id, _segments.c.idx)
    )
    return {key: list(parts) for key, parts in groupby(rows, key=lambda row: row.result_id)}


def _overview(row: sa.Row[Any], segments: Sequence[sa.Row[Any]]) -> dict[str, Any]:
    judged = [
        (part.start_s, part.end_s, 5 * (part.sentiment_positive - part.sentiment_negative))
        for part in segments
        if part.sentiment_score is not None
    ]
    return {
        "result_id": row.id,
        **{name: getattr(row, name) for name in _FIGURES},
        "quarters": [quarter["score"] for quarter in row.quarters or ()],
        "curve": curve_of(row.duration_s, judged),
    }
