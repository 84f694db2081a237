"""Reels of several calls: an agent's week, the objections of a team. `POST /reels` for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from fastapi import APIRouter, Response

from app.api.deps import ServicesDep
from app.api.reels import ReelIdPath
from app.core.clock import utc_now
from app.schemas.reel import Reel, ReelSource
from app.schemas.reel_models import ReelRequest
from app.web.addresses import REELS, call_address
from app.web.contexts.base import Choice
from app.web.contexts.reels import ReelAsk, ReelChapter, ReelOfCalls, ReelOfCallsPage, ReelOfCallsQuestion
from app.web.forms import HxRequest, TextField, read_asked
from app.web.frame import FrameDep
from app.web.reel_sources import SOURCES
from app.web.rendering import render, see_other

LONGEST_S = 180
WEEK = timedelta(days=6)
"""With today, seven days."""

router = APIRouter(include_in_schema=False)


@router.post(REELS)
def make_reel(
    services: ServicesDep,
    source: TextField = ReelSource.NARRATED,
    agent_id: TextField = "",
    team_id: TextField = "",
    date_from: TextField = "",
    date_to: TextField = "",
    kind: TextField = "",
    subtype: TextField = "",
    hx_request: HxRequest = False,
) -> Response:
    given = {
        "source": source,
        "agent_id": agent_id,
        "team_id": team_id,
        "date_from": date_from,
        "date_to": date_to,
        "types": [kind] if kind else None,
        "subtypes": [subtype] if subtype else None,
        "max_seconds": LONGEST_S,
    }
    wanted = read_asked({name: value for name, value in given.items() if value}, ReelRequest)
    reel = services.reels.of_calls(wanted.calls, wanted.filters, wanted.wish)
    if hx_request:
        return render(ReelOfCallsQuestion(reel_of_calls(reel)))
    return see_other(f"{REELS}/{reel.reel_id}")


@router.get(REELS + "/{reel_id}")
def show_reel(reel_id: ReelIdPath, frame: FrameDep, services: ServicesDep) -> Response:
    return render(ReelOfCallsPage(frame, reel_of_calls(services.reels.find(reel_id))))


def reel_ask(asked: Mapping[str, str], agent_id: str = "") -> ReelAsk:
    """What a page that shows what ``asked`` asks for makes reels of."""
    return ReelAsk(
        agent_id=agent_id,
        team_id=asked.get("team_id", ""),
        date_from=asked.get("date_from", ""),
        date_to=asked.get("date_to", ""),
        week_from=f"{utc_now() - WEEK:%Y-%m-%d}",
        sources=tuple(Choice(one, words, one is ReelSource.NARRATED) for one, words in SOURCES.items()),
        max_seconds=LONGEST_S,
    )


def reel_of_calls(reel: Reel) -> ReelOfCalls:
    chapters = tuple(
        ReelChapter(
            start_s=cue.start_s,
            kind=cue.type,
            subtype=cue.subtype,
            call_id=cue.call_id,
            address=call_address(cue.call_id, cue.moment_id),
            call_start_s=cue.call_start_s,
            unspoken=cue.unspoken,
        )
        for cue in reel.cues
    )
    return ReelOfCalls(reel.reel_id, reel.duration_s, reel.engine, len(reel.call_ids), chapters)
