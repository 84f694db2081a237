"""Wires the service: settings, services, routes, pages, error handlers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from app import __version__
from app.api.draining import LastAnswers, drained
from app.api.errors import install_error_handlers
from app.api.middleware import Gate, Linger, RequestContext, cors_options
from app.api.routes import install_routes
from app.core.config import Settings, load_settings
from app.core.door import Door
from app.core.logging import configure_logging
from app.services.bootstrap import build_services
from app.web.layer import PageLayer
from app.web.pages import install_pages
from app.workers.runtime import Runtime


def create_app(settings: Settings | None = None, **overrides: Any) -> FastAPI:
    """The whole application. ``overrides`` replace services by name.

    Reads no file but the playbook and connects to nothing until it starts. Raises ConfigurationError.
    """
    settings = settings or load_settings()
    runtime = Runtime(build_services(settings, **overrides))
    door = Door(settings.api_keys)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        configure_logging(settings.log_level)
        await to_thread.run_sync(runtime.start)
        await to_thread.run_sync(door.make_ready)
        with drained(runtime.retire, settings.drain_s):
            yield
        await to_thread.run_sync(runtime.stop)

    app = FastAPI(
        title="Darwix AI",
        version=__version__,
        summary="Understand sales calls on your own machines.",
        description="Recordings in; transcripts, sentiment and coachable moments with their evidence out.",
        license_info={"name": "MIT", "identifier": "MIT"},
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.runtime = runtime
    app.state.door = door
    install_error_handlers(app)
    install_routes(app)
    install_pages(app)
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, **cors_options(settings.cors_origins))  # type: ignore[arg-type]
    app.add_middleware(Gate, settings=settings, door=door)
    app.add_middleware(Linger)
    app.add_middleware(LastAnswers, is_stopping=lambda: runtime.is_stopping)
    app.add_middleware(RequestContext)
    app.add_middleware(PageLayer)
    return app


app = create_app()
