"""The outermost layer: what every page answers with (policy, errors as pages, the way to the login)."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.accept import preferred
from app.api.errors import MEDIA_TYPE as PROBLEM
from app.web.addresses import DOCS, LOGIN, is_page, local_or_home
from app.web.contexts.problem import FieldProblem, ProblemNotice, ProblemPage
from app.web.frame import frame_of
from app.web.rendering import render

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HTML = "text/html"
NO_PAGE = "There is no such page"
KEPT = ("retry-after", "x-request-id", "allow", "connection")
"""What of an error's headers stays when it becomes a page."""


class PageLayer:
    """Touches `/`, what is under `/ui/`, and in browsers the API's documentation. A script that asks for JSON
    gets problem+json.

    Whatever may be read may be asked about by HEAD, too, as monitors and link checkers do.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not (is_page(scope["path"]) or scope["path"] in DOCS):
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        await self._app(scope, receive, _PageSend(scope, receive, send))


class _PageSend:
    """Passes an answer on, with the headers of a page; holds a problem back until it is whole."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._is_for_people(Headers(raw=message["headers"])):
                self._start = message
                return
            _add_headers(message)
        elif self._start is not None and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_page(self._start)
            return
        await self._send(message)

    def _is_for_people(self, headers: Headers) -> bool:
        if headers.get("content-type") != PROBLEM:
            return False
        accept = Headers(scope=self._scope).get("accept")
        if self._scope["path"] in DOCS and HTML not in (accept or ""):
            return False
        return preferred(accept, {"page": HTML, "json": "application/json"}) != "json"

    async def _send_page(self, start: Message) -> None:
        kept = {name: value for name, value in Headers(raw=start["headers"]).items() if name in KEPT}
        answer = _page_of(json.loads(self._body), self._scope)
        answer.headers.update(kept)
        self._start = None
        await answer(self._scope, self._receive, self)


def _without_body(send: Send) -> Send:
    async def head_alone(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return head_alone


def _page_of(problem: dict[str, Any], scope: Scope) -> Response:
    headers = Headers(scope=scope)
    from_script = headers.get("hx-request") == "true"
    if problem["code"] == "not_found":  # the framework's own, in its words
        problem |= {"title": NO_PAGE, "detail": NO_PAGE}
    if problem["status"] == HTTPStatus.UNAUTHORIZED and scope["path"] != LOGIN:
        return _to_login(scope, headers, from_script=from_script)
    errors = tuple(FieldProblem(error["field"], error["message"]) for error in problem.get("errors", ()))
    told = (problem["status"], problem["title"], problem["detail"], problem["code"], problem["request_id"])
    if from_script:
        return render(ProblemNotice(*told, errors), status=problem["status"])
    return render(ProblemPage(frame_of(scope), *told, errors), status=problem["status"])


def _to_login(scope: Scope, headers: Headers, *, from_script: bool) -> Response:
    """Back to the page afterwards. A change is not done twice: then it is the page on which it was made."""
    if from_script:
        wanted = _path_of(headers.get("hx-current-url", ""))
    elif scope["method"] in ("GET", "HEAD"):
        wanted = _address(scope)
    else:
        wanted = _path_of(headers.get("referer", ""))
    login = f"{LOGIN}?next={quote(local_or_home(wanted), safe='/')}"
    if from_script:
        return HTMLResponse("", HTTPStatus.UNAUTHORIZED, {"HX-Redirect": login})
    return RedirectResponse(login, HTTPStatus.SEE_OTHER)


def _path_of(url: str) -> str:
    """With its query; nothing of what is no address."""
    try:
        shown = urlsplit(url)
    except ValueError:
        return ""
    return shown.path + (f"?{shown.query}" if shown.query else "")


def _address(scope: Scope) -> str:
    path: str = scope["path"]
    query = scope.get("query_string", b"").decode("ascii", "replace")
    return f"{path}?{query}" if query else path


def _add_headers(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", "no-store")
