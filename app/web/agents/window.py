"""The window of time and the team that pages of agents look at, by what their address says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from app.schemas.coaching import TeamSummary, Window
from app.web.contexts.agents import Preset, WindowForm
from app.web.contexts.base import Choice
from app.web.forms import DAY, address_of

PRESETS = (("4 weeks", 28), ("A quarter", 91), ("A year", 364))


def window_form(
    path: str, asked: Mapping[str, str], window: Window, teams: Iterable[TeamSummary]
) -> WindowForm:
    """The form at ``path``; a team without calls in the window stays to be seen where it is asked for."""
    named = [team.team_id for team in teams if team.team_id is not None]
    chosen = asked.get("team_id", "")
    if chosen and chosen not in named:
        named.append(chosen)
    return WindowForm(
        teams=tuple(Choice(team_id, team_id, team_id == chosen) for team_id in named),
        date_from=f"{window.date_from:%Y-%m-%d}",
        date_to=f"{window.date_to:%Y-%m-%d}",
        presets=tuple(_preset(path, asked, window, label, days) for label, days in PRESETS),
    )


def kept(asked: Mapping[str, str]) -> dict[str, str]:
    """What goes on to another page of agents."""
    return {name: value for name, value in asked.items() if name in ("team_id", "date_from", "date_to")}


def _preset(path: str, asked: Mapping[str, str], window: Window, label: str, days: int) -> Preset:
    """So many days up to the window's last one."""
    since = f"{window.date_to - timedelta(days=days - 1):%Y-%m-%d}"
    address = address_of(path, {**asked, "date_from": since})
    return Preset(label, address, asked.get("date_from", "")[:DAY] == since)
