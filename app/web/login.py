"""Sign in with an API key, and out again."""

from __future__ import annotations

import logging
from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from app.api.deps import ServicesDep
from app.core.sessions import COOKIE, LASTS_S, Sessions
from app.web.addresses import HOME, LOGIN, local_or_home
from app.web.contexts.login import LoginPage
from app.web.forms import NextField, NextQuery, TextField
from app.web.frame import FrameDep
from app.web.rendering import render, see_other

log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False)


@router.get(LOGIN)
def show_login(frame: FrameDep, services: ServicesDep, next_address: NextQuery = HOME) -> Response:
    """A service without keys knows nobody who could sign in."""
    if not services.settings.api_keys:
        return see_other(HOME)
    return render(LoginPage(frame, local_or_home(next_address)))


@router.post(LOGIN)
def sign_in(
    request: Request,
    frame: FrameDep,
    services: ServicesDep,
    key: TextField = "",
    next_address: NextField = HOME,
) -> Response:
    """The gate's check of origins keeps other sites from signing anybody in."""
    address = local_or_home(next_address)
    value = Sessions(services.settings.api_keys).open(key.strip())
    if value is None:
        log.info("login.refused")
        return render(LoginPage(frame, address, was_refused=True), status=HTTPStatus.UNAUTHORIZED)
    answer = see_other(address)
    is_secure = request.url.scheme == "https"
    answer.set_cookie(
        COOKIE, value, max_age=LASTS_S, path="/", secure=is_secure, httponly=True, samesite="strict"
    )
    return answer


@router.post("/ui/logout")
def sign_out() -> Response:
    answer = see_other(LOGIN)
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return answer
