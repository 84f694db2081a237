"""Answers: templates with one frozen dataclass each, in which everything is escaped; ways to other pages."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from http import HTTPStatus
from pathlib import Path

from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.web import formatting
from app.web.addresses import agent_address, call_address, playbook_address
from app.web.assets import asset
from app.web.contexts.base import Context, Question

TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment() -> Environment:
    """Reads each template once. A name that it does not know is an error."""
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
    made.filters.update(formatting.FILTERS)
    return made


def html_of(context: Context, template: str | None = None) -> str:
    """The page or fragment that ``context`` names."""
    values = {field.name: getattr(context, field.name) for field in fields(context)}
    return environment().get_template(template or context.template).render(values)


def render(context: Context, *, status: int = HTTPStatus.OK, address: str | None = None) -> HTMLResponse:
    """``address``: what a browser is to show, where its script asked for a page that is narrowed anew."""
    return HTMLResponse(html_of(context), status, {"HX-Push-Url": address} if address else None)


def ask(question: Question, *, in_dialog: bool) -> HTMLResponse:
    return HTMLResponse(html_of(question, question.dialog if in_dialog else None))


def see_other(address: str) -> RedirectResponse:
    """On to a page after a form was sent."""
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)
