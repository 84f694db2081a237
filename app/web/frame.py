"""What stands around every page: the way to the others, who is signed in, the token of its forms."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.types import Scope

from app.web.contexts.frame import Frame


def frame_of(scope: Scope) -> Frame:
    """For the request of ``scope``, behind the gate or refused by it."""
    state: dict[str, Any] = scope.get("state", {})
    session = state.get("session")
    return Frame(
        path=scope["path"],
        csrf_token=session.form_token if session else "",
        is_signed_in=session is not None,
    )


def _frame(request: Request) -> Frame:
    return frame_of(request.scope)


FrameDep = Annotated[Frame, Depends(_frame)]
