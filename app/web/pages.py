"""Table of contents: every page."""

from __future__ import annotations

from fastapi import FastAPI

from app.web import assets, call_actions, calls_page, login, reels_page
from app.web.agents import agent_page, team_page
from app.web.call import again, clips, comments, edits, page, reel, reviews
from app.web.clips import clip_actions, clips_page
from app.web.playbooks import draft_actions, draft_page, playbook_page, playbooks_page

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
        clips,
        reel,
        team_page,
        agent_page,
        reels_page,
        clips_page,
        clip_actions,
        playbooks_page,
        playbook_page,
        draft_page,
        draft_actions,
    )
)


def install_pages(app: FastAPI) -> None:
    """Mount every page. They are not part of the API's description: each action has its JSON route there."""
    for router in ROUTERS:
        app.include_router(router)
