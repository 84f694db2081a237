"""`/`: the calls, newest first, with what they are narrowed to in the address; one line of them alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from app.api.calls import CallIdPath
from app.api.deps import ServicesDep
from app.core.exceptions import CallNotFound
from app.schemas.analysis import CallStatus
from app.schemas.moment import MomentType, TimedMomentType
from app.schemas.requests import CallQuery
from app.services.bootstrap import Services
from app.web.addresses import HOME
from app.web.calls.call_lines import line_of
from app.web.calls.first_call import first_call, upload_form
from app.web.contexts.base import Choice
from app.web.contexts.calls import (
    CallFilters,
    CallLineOnly,
    CallsPage,
    CallsTable,
    CallsTableOnly,
)
from app.web.contexts.frame import Frame
from app.web.formatting import spelled, status_words
from app.web.forms import DAY, HxTarget, address_of, asked_of, read_asked
from app.web.frame import FrameDep
from app.web.rendering import render

PAGE = 30
FOLDED = ("customer_id", "team_id", "direction", "min_duration_s", "max_duration_s", "date_from", "date_to")
"""Filters that are asked for less often."""
DIRECTIONS = ("inbound", "outbound")
AT_LEAST_MIN = (2, 5, 15, 30)
AT_MOST_MIN = (2, 5, 15, 30, 60)

router = APIRouter(include_in_schema=False)


@router.get(HOME)
def show_calls(
    request: Request,
    frame: FrameDep,
    services: ServicesDep,
    hx_target: HxTarget = None,
    hx_current_url: Annotated[str, Header()] = "",
) -> Response:
    """The whole page; for a script that narrows the list, the table alone and the address to show."""
    asked = asked_of(request)
    table = _table(services, asked)
    if hx_target == "calls":
        is_shown = hx_current_url.endswith(table.address)
        return render(CallsTableOnly(frame, table), address=None if is_shown else table.address)
    return render(_page(request, frame, services, asked, table))


def _page(
    request: Request, frame: Frame, services: Services, asked: dict[str, str], table: CallsTable
) -> CallsPage:
    is_first = not (table.lines or table.is_narrowed or "cursor" in asked)
    return CallsPage(
        frame=frame,
        filters=_filters(asked),
        table=table,
        upload=upload_form(services.settings),
        first_call=first_call(request, services.settings) if is_first else None,
    )


@router.get("/ui/calls/{call_id}/line")
def show_line(call_id: CallIdPath, frame: FrameDep, services: ServicesDep) -> Response:
    """One line of the list as it is now; nothing for a call that was deleted meanwhile."""
    try:
        summary = services.calls.summary(call_id)
    except CallNotFound:
        return Response(media_type="text/html")
    return render(CallLineOnly(frame, line_of(summary)))


def _table(services: Services, asked: dict[str, str]) -> CallsTable:
    query = read_asked(asked, CallQuery)
    items, older = services.calls.page(query.filters, PAGE, query.cursor)
    filters = {name: value for name, value in asked.items() if name != "cursor"}
    return CallsTable(
        lines=tuple(line_of(item) for item in items),
        address=address_of(HOME, asked),
        newest=address_of(HOME, filters) if query.cursor else None,
        older=address_of(HOME, {**filters, "cursor": older}) if older else None,
        is_narrowed=bool(filters),
    )


def _filters(asked: dict[str, str]) -> CallFilters:
    return CallFilters(
        q=asked.get("q", ""),
        agent_id=asked.get("agent_id", ""),
        customer_id=asked.get("customer_id", ""),
        team_id=asked.get("team_id", ""),
        date_from=asked.get("date_from", "")[:DAY],
        date_to=asked.get("date_to", "")[:DAY],
        statuses=_choices(asked.get("status"), {one: status_words(one) for one in CallStatus}),
        moment_types=_choices(
            asked.get("moment_type"), {one: spelled(one) for one in (*MomentType, *TimedMomentType)}
        ),
        directions=_choices(asked.get("direction"), {one: spelled(one) for one in DIRECTIONS}),
        at_least=_choices(asked.get("min_duration_s"), _minutes(AT_LEAST_MIN)),
        at_most=_choices(asked.get("max_duration_s"), _minutes(AT_MOST_MIN)),
        more=sum(name in asked for name in FOLDED),
    )


def _minutes(lengths: Sequence[int]) -> dict[str, str]:
    return {str(60 * minutes): f"{minutes} min" for minutes in lengths}


def _choices(chosen: str | None, labels: Mapping[str, str]) -> tuple[Choice, ...]:
    """What the list does not offer but the address asks for stays chosen."""
    offered = labels if not chosen or chosen in labels else {**labels, chosen: chosen}
    return tuple(Choice(value, label, value == chosen) for value, label in offered.items())
