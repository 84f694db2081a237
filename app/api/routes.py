"""Table of contents: every router of the API."""

from __future__ import annotations

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer

from app.api import (
    agents,
    analyze,
    call_changes,
    calls,
    clips,
    comments,
    corrections,
    customers,
    docs,
    events,
    exports,
    health,
    metrics,
    playbooks,
    recordings,
    reels,
    reviews,
    rule_lab,
    speakers,
    speech,
    submit,
    teams,
    telemetry,
    transcribe,
    waveforms,
    webhooks,
    work,
)

# Told in OpenAPI; enforced for every path, known or not, by the gate in middleware.py.
BEARER = HTTPBearer(auto_error=False, description="Needed where the service has API_KEYS.")


def install_routes(app: FastAPI) -> None:
    """Mount every resource."""
    app.include_router(health.router)
    of_calls = (
        transcribe,
        submit,
        analyze,
        calls,
        events,
        work,
        call_changes,
        customers,
        speakers,
        reviews,
        comments,
        corrections,
        metrics,
        exports,
        recordings,
        waveforms,
    )
    of_coaching = (agents, teams, clips, playbooks, rule_lab)
    for resource in (*of_calls, *of_coaching, speech, reels, webhooks, telemetry):
        app.include_router(resource.router, dependencies=[Security(BEARER)])
    app.webhooks.include_router(webhooks.sent)
    app.include_router(docs.docs_router())
