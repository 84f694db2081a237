"""Sign in with an API key, and out again."""

from __future__ import annotations

import logging
from http import HTTPStatus
from math import ceil

from fastapi import APIRouter, Request, Response

from app.api.deps import DoorDep, ServicesDep
from app.api.middleware import source_of_request
from app.core.exceptions import TooManyWrongKeys, Unauthorized
from app.core.sessions import COOKIE, LASTS_S
from app.web.addresses import HOME, LOGIN, local_or_home
from app.web.contexts.frame import Frame
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
    door: DoorDep,
    key: TextField = "",
    next_address: NextField = HOME,
) -> Response:
    """The gate's check of origins keeps other sites from signing anybody in."""
    address = local_or_home(next_address)
    try:
        value = door.sign_in(source_of_request(request.scope), key.strip())
    except Unauthorized:
        log.info("login.refused")
        return render(LoginPage(frame, address, was_refused=True), status=HTTPStatus.UNAUTHORIZED)
    except TooManyWrongKeys as error:
        return _told_to_wait(frame, address, error.retry_after_s or 0)
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


def _told_to_wait(frame: Frame, address: str, wait_s: int) -> Response:
    page = LoginPage(frame, address, wait_minutes=ceil(wait_s / 60))
    answer = render(page, status=HTTPStatus.TOO_MANY_REQUESTS)
    answer.headers["Retry-After"] = str(wait_s)
    return answer
