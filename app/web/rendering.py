"""Templates: one frozen dataclass in, HTML out. Everything is escaped, and an unknown name is an error."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from http import HTTPStatus
from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.web import shown
from app.web.addresses import agent_address, call_address, playbook_address
from app.web.assets import asset
from app.web.contexts.base import Context

TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment() -> Environment:
    """Reads each template once."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(
        asset=asset,
        call_address=call_address,
        agent_address=agent_address,
        playbook_address=playbook_address,
    )
    made.filters.update(shown.FILTERS)
    return made


def html_of(context: Context) -> str:
    """The page or fragment that ``context`` names."""
    values = {field.name: getattr(context, field.name) for field in fields(context)}
    return environment().get_template(context.template).render(values)


def render(
    context: Context, *, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> HTMLResponse:
    return HTMLResponse(html_of(context), status, headers)
