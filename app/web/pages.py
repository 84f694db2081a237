"""Table of contents: every page."""

from __future__ import annotations

from fastapi import FastAPI

from app.web import assets, call_actions, calls_page, login
from app.web.agents import agent_page, team_page
from app.web.call import again, comments, edits, page, reviews

ROUTERS = tuple(
    part.router
    for part in (
        assets,
        login,
        calls_page,
        call_actions,
        page,
        reviews,
        edits,
        comments,
        again,
        team_page,
        agent_page,
    )
)


def install_pages(app: FastAPI) -> None:
    """Mount every page. They are not part of the API's description: each action has its JSON route there."""
    for router in ROUTERS:
        app.include_router(router)
