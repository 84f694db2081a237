"""Calls in numbers: written with a result, read by the thousand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, exists, func, literal, select, update
from sqlalchemy.orm import Session

from app.db.figure_models import CallFigureRow
from app.db.models import CallRow, table_of
from app.db.repositories.statements import insert_into
from app.schemas.analysis import Analysis
from app.schemas.coaching import Window
from app.schemas.figures import CallFigures, MeasuredCall, ObjectionOutcome, figures_of

_CALLS = table_of(CallRow)
_FIGURES = table_of(CallFigureRow)
_OF_CALL = ("call_id", "agent_id", "team_id", "held_at")
_NUMBERS = (
    "share_of_speech", "patience_s", "longest_monologue_s", "agent_interruptions", "customer_interruptions",
    "sentiment_shift",
)  # fmt: skip

Found = tuple[tuple[MeasuredCall, ...], tuple[ObjectionOutcome, ...]]


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
        put = insert_into(self._session, _FIGURES).from_select(
            list(row), select(*row.values()).where(_CALLS.c.call_id == call_id)
        )
        replaced = {name: put.excluded[name] for name in row}
        self._session.connection().execute(
            put.on_conflict_do_update(index_elements=["call_id"], set_=replaced)
        )

    def assign(self, call_id: str) -> None:
        """Count the call under the agent and the team that it has now."""
        of_call = select(_CALLS.c.agent_id, _CALLS.c.team_id).where(_CALLS.c.call_id == call_id)
        now = self._session.execute(of_call).mappings().one()
        self._session.connection().execute(
            update(_FIGURES).where(_FIGURES.c.call_id == call_id).values(dict(now))
        )

    def beside_team(self, agent_id: str, window: Window, team_id: str | None) -> Found | None:
        """The calls of the team, or of all agents, and the objections of this agent's among them.

        None where the agent has no call at all, analysed or not.
        """
        if not self._any(_CALLS.c.agent_id == agent_id):
            return None
        return self.read(window, team_id), self._objections(_held(window, team_id, agent_id))

    def of_team(self, team_id: str, window: Window) -> Found | None:
        """The calls of the team, and their objections. None where it has no call at all."""
        if not self._any(_CALLS.c.team_id == team_id):
            return None
        return self.read(window, team_id), self._objections(_held(window, team_id))

    def read(self, window: Window, team_id: str | None = None) -> tuple[MeasuredCall, ...]:
        """Calls held within the window, oldest first, without their objections."""
        query = (
            select(*(_FIGURES.c[name] for name in (*_OF_CALL, *_NUMBERS)), cast(_FIGURES.c.moments, Text))
            .where(*_held(window, team_id))
            .order_by(_FIGURES.c.held_at, _FIGURES.c.call_id)
        )
        rows = self._session.execute(query).all()
        # All the JSON at once, and by place: of 40,000 calls, decoders and names would be most of the time.
        counted = json.loads(f"[{','.join(row[-1] for row in rows)}]")
        return tuple(_measured(row, moments) for row, moments in zip(rows, counted, strict=True))

    def _objections(self, held: Sequence[ColumnElement[bool]]) -> tuple[ObjectionOutcome, ...]:
        query = select(_FIGURES.c.objections).where(*held).order_by(_FIGURES.c.held_at, _FIGURES.c.call_id)
        return tuple(
            ObjectionOutcome(subtype, tuple(types), before, after)
            for objections in self._session.scalars(query)
            for subtype, types, before, after in objections
        )

    def _any(self, condition: ColumnElement[bool]) -> bool:
        return bool(self._session.scalar(select(exists().where(condition))))


def _measured(row: Sequence[Any], moments: dict[str, int]) -> MeasuredCall:
    call_id, agent, team, held_at, share, patience, monologue, agents, customers, shift, _ = row
    figures = CallFigures(share, patience, monologue, agents, customers, shift, moments)
    return MeasuredCall(call_id, agent, team, held_at, figures)


def _held(window: Window, team_id: str | None, agent_id: str | None = None) -> list[ColumnElement[bool]]:
    conditions = [_FIGURES.c.held_at >= window.date_from, _FIGURES.c.held_at <= window.date_to]
    asked = {"agent_id": agent_id, "team_id": team_id}
    return conditions + [_FIGURES.c[name] == value for name, value in asked.items() if value is not None]


def _values(figures: CallFigures) -> dict[str, Any]:
    return {
        **{name: getattr(figures, name) for name in _NUMBERS},
        "moments": figures.moments,
        "objections": [
            [each.subtype, list(each.followed_by), each.sentiment_before, each.sentiment_after]
            for each in figures.objections
        ],
    }
