"""Calls in numbers, small enough that thousands are read at once; made for the calls that are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_RESULT_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AT_A_TIME = 100
_WITHIN_S = 60.0


def upgrade() -> None:
    op.create_table(
        "call_figures",
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("result_id", _RESULT_ID, nullable=False),
        sa.Column("agent_id", _ID, nullable=True),
        sa.Column("team_id", _ID, nullable=True),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.Column(name, sa.Double(), nullable=True)
            for name in ("share_of_speech", "patience_s", "longest_monologue_s", "sentiment_shift")
        ),
        *(
            sa.Column(name, sa.Integer(), nullable=True)
            for name in ("agent_interruptions", "customer_interruptions")
        ),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("moments", "objections")),
        sa.PrimaryKeyConstraint("call_id", name="pk_call_figures"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.call_id"], name="fk_call_figures_call_id_calls", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["result_id"], ["results.id"], name="fk_call_figures_result_id_results", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_call_figures_result_id", "call_figures", ["result_id"])
    op.create_index("ix_call_figures_held", "call_figures", ["held_at"])
    op.create_index("ix_call_figures_agent", "call_figures", ["agent_id", "held_at"])
    op.create_index("ix_call_figures_team", "call_figures", ["team_id", "held_at"])
    _fill()


def downgrade() -> None:
    op.drop_table("call_figures")


def _fill() -> None:
    """A few calls at a time: their metrics alone are 100 kB each."""
    connection, after = op.get_bind(), 0
    while rows := connection.execute(_RESULTS, {"after": after}).all():
        moments = _by_result(connection.execute(_MOMENTS, {"ids": [row.id for row in rows]}))
        objecting = [key for key, found in moments.items() if any(row.type == "objection" for row in found)]
        segments = _by_result(connection.execute(_SEGMENTS, {"ids": objecting}))
        connection.execute(
            sa.insert(_FIGURES),
            [
                {
                    "call_id": row.call_id,
                    "result_id": row.id,
                    "agent_id": row.agent_id,
                    "team_id": row.team_id,
                    "held_at": row.started_at or row.created_at,
                    **_measured(row.metrics or {}),
                    **_counted(moments.get(row.id, []), segments.get(row.id, [])),
                }
                for row in rows
            ],
        )
        after = rows[-1].id


def _table(name: str, **columns: Any) -> sa.TableClause:
    return sa.table(name, *(sa.column(column, kind) for column, kind in columns.items()))


_TIME = sa.DateTime(timezone=True)
_CALLS = _table(
    "calls", call_id=_ID, agent_id=_ID, team_id=_ID, started_at=_TIME, created_at=_TIME,
    current_result_id=_RESULT_ID,
)  # fmt: skip
_OF_RESULTS = _table("results", id=_RESULT_ID, metrics=sa.JSON())
_OF_MOMENTS = _table(
    "moments", result_id=_RESULT_ID, public_id=sa.Text(), type=sa.Text(), subtype=sa.Text(),
    confidence=sa.Double(), segment=sa.Integer(), evidence_start_s=sa.Double(), evidence_end_s=sa.Double(),
)  # fmt: skip
_OF_SEGMENTS = _table(
    "segments", result_id=_RESULT_ID, idx=sa.Integer(), role=sa.Text(), start_s=sa.Double(),
    end_s=sa.Double(), sentiment_score=sa.Double(), sentiment_positive=sa.Double(),
    sentiment_negative=sa.Double(),
)  # fmt: skip
_WORDS = _table("words", result_id=_RESULT_ID, segment=sa.Integer())
_FIGURES = _table(
    "call_figures", call_id=_ID, result_id=_RESULT_ID, agent_id=_ID, team_id=_ID, held_at=_TIME,
    share_of_speech=sa.Double(), patience_s=sa.Double(), longest_monologue_s=sa.Double(),
    agent_interruptions=sa.Integer(), customer_interruptions=sa.Integer(),
    sentiment_shift=sa.Double(), moments=sa.JSON(), objections=sa.JSON(),
)  # fmt: skip
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_RESULTS = (
    sa.select(
        *(_OF_RESULTS.c[name] for name in ("id", "metrics")),
        *(_CALLS.c[name] for name in ("call_id", "agent_id", "team_id", "started_at", "created_at")),
    )
    .join_from(_OF_RESULTS, _CALLS, _CALLS.c.current_result_id == _OF_RESULTS.c.id)
    .where(_OF_RESULTS.c.id > sa.bindparam("after"))
    .order_by(_OF_RESULTS.c.id)
    .limit(_AT_A_TIME)
)
_MOMENTS = (
    sa.select(*_OF_MOMENTS.c).where(_OF_MOMENTS.c.result_id.in_(_IDS)).order_by(_OF_MOMENTS.c.result_id)
)
_SEGMENTS = (
    sa.select(*_OF_SEGMENTS.c, sa.func.count(_WORDS.c.segment).label("words"))
    .join_from(
        _OF_SEGMENTS,
        _WORDS,
        sa.and_(_WORDS.c.result_id == _OF_SEGMENTS.c.result_id, _WORDS.c.segment == _OF_SEGMENTS.c.idx),
    )
    .where(
        _OF_SEGMENTS.c.result_id.in_(_IDS),
        _OF_SEGMENTS.c.role == "customer",
        _OF_SEGMENTS.c.sentiment_score.is_not(None),
    )
    .group_by(*_OF_SEGMENTS.c)
    .order_by(_OF_SEGMENTS.c.result_id, _OF_SEGMENTS.c.idx)
)


def _by_result(rows: Iterable[Any]) -> dict[int, list[Any]]:
    return {key: list(group) for key, group in groupby(rows, key=lambda row: row.result_id)}


def _measured(metrics: dict[str, Any]) -> dict[str, Any]:
    patience, monologue = metrics.get("patience"), metrics.get("longest_monologue")
    return {
        "share_of_speech": metrics.get("share_of_speech"),
        "patience_s": patience and patience["median_s"],
        "longest_monologue_s": monologue and round(monologue["end_s"] - monologue["start_s"], 3),
        "agent_interruptions": _interruptions(metrics, "agent"),
        "customer_interruptions": _interruptions(metrics, "customer"),
        "sentiment_shift": _shift(metrics),
    }


def _shift(metrics: dict[str, Any]) -> float | None:
    customers = [party for party in metrics.get("parties", []) if party["role"] == "customer"]
    first, last = ([party["sentiment"]["quarters"][place] for party in customers] for place in (0, 3))
    before, after = (
        _mean([(each["score"], each["words"]) for each in quarter if each["score"] is not None])
        for quarter in (first, last)
    )
    return None if before is None or after is None else round(after - before, 4)


def _interruptions(metrics: dict[str, Any], role: str) -> int | None:
    if not metrics:
        return None
    speakers = {party["speaker"] for party in metrics["parties"] if party["role"] == role}
    found = [each for each in metrics["interruptions"] if each["kind"] == "interruption"]
    return sum(each["speaker"] in speakers for each in found)


def _counted(rows: list[Any], segments: list[Any]) -> dict[str, Any]:
    moments = sorted(rows, key=lambda row: (row.evidence_start_s, -row.confidence, row.public_id))
    return {
        "moments": dict(sorted(Counter(row.type for row in moments).items())),
        "objections": [_outcome(row, moments, segments) for row in moments if row.type == "objection"],
    }


def _outcome(objection: Any, moments: list[Any], segments: list[Any]) -> list[Any]:
    """Its subtype, the types that follow within a minute, the customers' sentiment before and after."""
    start_s, end_s = objection.evidence_start_s, objection.evidence_end_s
    judged = [
        (
            (row.start_s + row.end_s) / 2,
            5 * (row.sentiment_positive - row.sentiment_negative),
            row.words,
        )
        for row in segments
        if row.idx != objection.segment
    ]
    following = [row.type for row in moments if end_s <= row.evidence_start_s <= end_s + _WITHIN_S]
    before = [(score, words) for at_s, score, words in judged if start_s - _WITHIN_S <= at_s < start_s]
    after = [(score, words) for at_s, score, words in judged if end_s < at_s <= end_s + _WITHIN_S]
    return [objection.subtype, list(dict.fromkeys(following)), _mean(before), _mean(after)]


def _mean(weighted: list[tuple[float, int]]) -> float | None:
    weight = sum(words for _, words in weighted)
    return round(sum(score * words for score, words in weighted) / weight, 4) if weight else None
