"""Pure ASGI layers: request id and log line, access, origins, body limit."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Sequence
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import problem_of, unforeseen
from app.api.form_token import check_form_token
from app.core.config import Settings
from app.core.door import Door
from app.core.exceptions import AppError, Forbidden, TooManyWrongKeys, Unauthorized, UploadTooLarge
from app.core.guesses import source_of
from app.core.logging import log_fields
from app.core.security import is_address, is_loopback, origin_is_allowed
from app.core.sessions import COOKIE, Session

log = logging.getLogger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
PAGES = "/ui/"
LOGIN = f"{PAGES}login"
STATIC = f"{PAGES}static/"
"""What pages are made of; nothing of a call is in it."""
OPEN_PATHS = {"/health", "/ready", LOGIN}
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
JSON_BODY_LIMIT = 1024 * 1024
PLAYBOOK_BODY_LIMIT = 5 * 1024 * 1024
"""A playbook of the largest size, as text in JSON."""
FORM_OVERHEAD = 1024 * 1024
"""What the form around a recording may add: fields, part headers, boundaries."""
LINGER_S = 2.0


class RequestContext:
    """Gives each request an id, answers unforeseen failures, logs one line. The outermost layer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope))
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.monotonic()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with log_fields(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:
                log.exception("request.crashed", extra={"method": scope["method"]})
                if status:  # the answer has begun: all that is left is to cut it
                    raise
                await unforeseen(scope["path"], request_id)(scope, receive, send_with_id)
            route = getattr(scope.get("route"), "path", None)
            seconds = round(time.monotonic() - began, 4)
            fields = {"method": scope["method"], "route": route, "status": status, "seconds": seconds}
            log.log(logging.DEBUG if route == "/health" else logging.INFO, "request.ended", extra=fields)


class Gate:
    """Lets in whoever may come in: an API key where keys are set, no foreign page, no oversized body."""

    def __init__(self, app: ASGIApp, settings: Settings, door: Door) -> None:
        self._app = app
        self._settings = settings
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._check_host(scope, headers)
            self._check_origin(scope, headers)
            session = self._admit(scope, headers)
            receive = self._limited(scope, headers, receive)
            if session is not None:
                receive = await self._of_page(session, scope, headers, receive)
            await self._app(scope, receive, send)
        except AppError as error:
            state = scope.get("state", {})
            answer = problem_of(error, scope["path"], str(state.get("request_id", "")))
            await answer(scope, receive, send)

    def _check_host(self, scope: Scope, headers: Headers) -> None:
        """A service without keys on loopback answers to local names alone: a page whose own name was made to
        point here (DNS rebinding) would pass for the same origin."""
        server = scope.get("server") or ("", None)
        if self._settings.api_keys or not is_address(server[0]) or not is_loopback(server[0]):
            return
        name = _host_name(headers.get("host", ""))
        if name and not is_address(name) and not is_loopback(name) and not self._is_allowed_host(name):
            raise Forbidden("this host name is not served here; see ALLOWED_HOSTS")

    def _is_allowed_host(self, name: str) -> bool:
        return name in self._settings.allowed_hosts or "*" in self._settings.allowed_hosts

    def _check_origin(self, scope: Scope, headers: Headers) -> None:
        if scope["method"] in SAFE_METHODS:
            return
        origin, allowed = headers.get("origin"), self._settings.cors_origins
        if origin is not None and not origin_is_allowed(origin, headers.get("host", ""), allowed):
            raise Forbidden("a page of another origin may not change anything here; see CORS_ORIGINS")
        if origin is None and headers.get("sec-fetch-site") == "cross-site":
            raise Forbidden("a page of another site may not change anything here; see CORS_ORIGINS")

    def _admit(self, scope: Scope, headers: Headers) -> Session | None:
        """The session, where a page's cookie and no key lets the request in.

        Raises Unauthorized or TooManyWrongKeys.
        """
        if not self._settings.api_keys or _is_open(scope["path"]) or _is_preflight(scope, headers):
            return None
        source = source_of_request(scope)
        refused: AppError = Unauthorized("send the header Authorization: Bearer KEY")
        if key := _bearer(headers):
            try:
                self._door.admit(source, key)
                return None
            except (Unauthorized, TooManyWrongKeys) as error:
                refused = error
        cookie = _cookie(headers)
        may_use_cookie = scope["method"] in SAFE_METHODS or scope["path"].startswith(PAGES)
        session = self._door.session(source, cookie) if cookie and may_use_cookie else None
        if session is None:
            raise refused
        return session

    async def _of_page(self, session: Session, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        """A browser sends its cookie whoever made it ask: what changes something also needs the token."""
        scope.setdefault("state", {})["session"] = session
        if scope["method"] in SAFE_METHODS:
            return receive
        return await check_form_token(session.form_token, headers, receive)

    def _limited(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        """Refuse a declared length over the limit before reading, and count what has no declared length."""
        has_parts = headers.get("content-type", "").lower().startswith("multipart/form-data")
        is_upload = has_parts and not _is_open(scope["path"])
        limit = self._settings.max_upload_bytes + FORM_OVERHEAD if is_upload else _text_limit(scope)
        declared = headers.get("content-length", "")
        if declared.isdigit() and int(declared) > limit:
            raise UploadTooLarge(_too_large(self._settings, limit, is_upload))
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    raise UploadTooLarge(_too_large(self._settings, limit, is_upload))
            return message

        return counted


class Linger:
    """Reads on for a moment when an answer leaves before the whole body came.

    Closing a socket with unread data resets the connection, and the client would see that instead of the
    answer. Below the request context, so that the log line shows the whole time.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        expects_continue = "100-continue" in headers.get("expect", "").lower()
        body_read = not has_body
        reading_began = False

        async def watched() -> Message:
            nonlocal body_read, reading_began
            reading_began = True
            message = await receive()
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                body_read = True
            return message

        async def send_then_drain(message: Message) -> None:
            early = not body_read and (reading_began or not expects_continue)
            if message["type"] == "http.response.start" and not body_read:
                MutableHeaders(scope=message)["Connection"] = "close"
            if message["type"] == "http.response.body" and not message.get("more_body", False) and early:
                await send({**message, "more_body": True})
                await _drain(watched, lambda: body_read)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            await send(message)

        await self._app(scope, watched, send_then_drain)


async def _drain(receive: Receive, is_done: Callable[[], bool]) -> None:
    async def read_on() -> None:
        while not is_done():
            await receive()

    try:
        await asyncio.wait_for(read_on(), LINGER_S)
    except TimeoutError:
        log.debug("request.body_left_unread")


def _request_id(headers: Headers) -> str:
    sent = headers.get("x-request-id", "")
    return sent if REQUEST_ID.fullmatch(sent) else uuid4().hex


def _host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    if host.startswith("["):
        return host.partition("]")[0].lstrip("[")
    return host.partition(":")[0].lower()


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(STATIC)


def source_of_request(scope: Scope) -> str:
    """Whose guesses count together. A proxy in FORWARDED_ALLOW_IPS stands for the client that it names."""
    client = scope.get("client")
    return source_of(client[0] if client else "")


def _bearer(headers: Headers) -> str:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _cookie(headers: Headers) -> str | None:
    return cookie_parser(headers.get("cookie", "")).get(COOKIE)


def _is_preflight(scope: Scope, headers: Headers) -> bool:
    return scope["method"] == "OPTIONS" and "access-control-request-method" in headers


def _text_limit(scope: Scope) -> int:
    return PLAYBOOK_BODY_LIMIT if scope["path"].startswith("/playbooks") else JSON_BODY_LIMIT


def _too_large(settings: Settings, limit: int, is_upload: bool) -> str:
    if is_upload:
        return f"a recording may have at most {settings.max_upload_size_mb} MB (MAX_UPLOAD_SIZE_MB)"
    return f"a body of this kind may have at most {limit} bytes"


def cors_options(origins: Sequence[str]) -> dict[str, object]:
    """Arguments of Starlette's CORSMiddleware for the origins that may use the API."""
    return {
        "allow_origins": list(origins),
        "allow_methods": ["*"],
        "allow_headers": ["*"],
        "expose_headers": [
            "X-Request-ID",
            "X-TTS-Engine",
            "X-Moments",
            "X-Moments-Unspoken",
            "X-Clip-Start",
            "X-Clip-End",
            "Content-Location",
            "Content-Range",
            "Idempotent-Replayed",
            "Retry-After",
            "Location",
            "ETag",
        ],
    }
