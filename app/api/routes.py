"""Table of contents: every router of the API."""

from __future__ import annotations

from fastapi import FastAPI

from app.api import calls, docs, health, replay, speech, transcribe


def install_routes(app: FastAPI) -> None:
    """Mount every resource."""
    for resource in (health, transcribe, calls, speech, replay):
        app.include_router(resource.router)
    app.include_router(docs.docs_router())
