"""Calls in numbers: written with a result, read by the thousand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.db.figure_models import CallFigureRow
from app.db.models import CallRow, table_of
from app.schemas.analysis import Analysis
from app.schemas.figures import CallFigures, MeasuredCall, ObjectionOutcome, figures_of

_CALLS = table_of(CallRow)
_FIGURES = table_of(CallFigureRow)
_PLAIN = ("call_id", "agent_id", "team_id", "held_at")
_NUMBERS = (
    "share_of_speech", "patience_s", "longest_monologue_s", "agent_interruptions", "customer_interruptions",
)  # fmt: skip
_JSON = ("quarters", "moments")
_INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class FigureRepository:
    """All SQL about calls in numbers, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, call_id: str, result_id: int, analysis: Analysis) -> None:
        """``analysis``, stored as ``result_id``, is the call's current one."""
        of_call = {
            "call_id": _CALLS.c.call_id,
            "agent_id": _CALLS.c.agent_id,
            "team_id": _CALLS.c.team_id,
            "held_at": func.coalesce(_CALLS.c.started_at, _CALLS.c.created_at),
        }
        found = {"result_id": result_id, **_values(figures_of(analysis))}
        told = {name: literal(value, _FIGURES.c[name].type) for name, value in found.items()}
        row = {**of_call, **told}
        put = _INSERT[self._session.get_bind().dialect.name](_FIGURES).from_select(
            list(row), select(*row.values()).where(_CALLS.c.call_id == call_id)
        )
        replaced = {name: put.excluded[name] for name in row}
        self._session.connection().execute(
            put.on_conflict_do_update(index_elements=["call_id"], set_=replaced)
        )

    def read(
        self,
        date_from: datetime,
        date_to: datetime,
        *,
        agent_id: str | None = None,
        team_id: str | None = None,
        with_objections: bool = False,
    ) -> tuple[MeasuredCall, ...]:
        """Calls held from the one time up to the other, both included, oldest first.

        ``figures.objections`` are read only where they are asked for.
        """
        names = (*_JSON, "objections") if with_objections else _JSON
        columns = [_FIGURES.c[name] for name in (*_PLAIN, *_NUMBERS)]
        query = (
            select(*columns, *(_FIGURES.c[name] for name in names))
            .where(*_held(date_from, date_to), *_of(agent_id, team_id))
            .order_by(_FIGURES.c.held_at, _FIGURES.c.call_id)
        )
        return tuple(_measured(row) for row in self._session.execute(query))


def _held(date_from: datetime, date_to: datetime) -> list[ColumnElement[bool]]:
    return [_FIGURES.c.held_at >= date_from, _FIGURES.c.held_at <= date_to]


def _of(agent_id: str | None, team_id: str | None) -> list[ColumnElement[bool]]:
    asked = {"agent_id": agent_id, "team_id": team_id}
    return [_FIGURES.c[name] == value for name, value in asked.items() if value is not None]


def _values(figures: CallFigures) -> dict[str, Any]:
    return {
        **{name: getattr(figures, name) for name in _NUMBERS},
        "quarters": list(figures.quarters),
        "moments": figures.moments,
        "objections": [
            [each.subtype, list(each.followed_by), each.sentiment_before, each.sentiment_after]
            for each in figures.objections
        ],
    }


def _measured(row: Row[Any]) -> MeasuredCall:
    """By place and not by name, as there are thousands."""
    call_id, agent_id, team_id, held_at, share, patience, monologue, agents, customers, *rest = row
    quarters, moments, *outcomes = rest
    objections = tuple(
        ObjectionOutcome(subtype, tuple(types), before, after)
        for subtype, types, before, after in (outcomes[0] if outcomes else ())
    )
    figures = CallFigures(share, patience, monologue, agents, customers, tuple(quarters), moments, objections)
    return MeasuredCall(call_id, agent_id, team_id, held_at, figures)
