"""Table of contents: every page, and what is done on it."""

from __future__ import annotations

from fastapi import FastAPI

from app.web import assets, login
from app.web.agents import agent_page, agents_page, reels_page
from app.web.call import (
    again_actions,
    call_page,
    comment_actions,
    correction_actions,
    library_actions,
    party_actions,
    reel_actions,
    verdict_actions,
)
from app.web.calls import call_actions, calls_page
from app.web.clips import clip_actions, clips_page
from app.web.playbooks import draft_actions, draft_page, playbook_page, playbooks_page

ROUTERS = tuple(
    part.router
    for part in (
        assets,
        login,
        calls_page,
        call_actions,
        call_page,
        verdict_actions,
        correction_actions,
        comment_actions,
        again_actions,
        library_actions,
        party_actions,
        reel_actions,
        agents_page,
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
