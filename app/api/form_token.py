"""The token that a page sends with what it changes: by script in a header, else in the form's first field."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from app.core.exceptions import FormTokenInvalid

HEADER = "X-CSRF-Token"
FIELD = "csrf_token"
PEEK_BYTES = 4096
"""Of a form with a recording no more is looked at: the token comes before the file."""
_PART = re.compile(rb'name="?' + FIELD.encode() + rb'"?\r\n\r\n([\w-]{1,128})\r\n')
_FIELD = re.compile(rb"(?:^|&)" + FIELD.encode() + rb"=")


async def check_form_token(expected: str, headers: Headers, receive: Receive) -> Receive:
    """Raises FormTokenInvalid unless the request brings ``expected``.

    Returns what the request is to be read from: the part of its body that was looked at comes again.
    """
    sent = headers.get(HEADER)
    if sent is None:
        body = _Peeked(receive)
        sent = _token_in(await body.look(is_whole=not _has_parts(headers)), has_parts=_has_parts(headers))
        receive = body.receive
    if not hmac.compare_digest(sent.encode("utf-8", "surrogatepass"), expected.encode()):
        raise FormTokenInvalid("reload the page and try again: it was made for another session")
    return receive


class _Peeked:
    """A body whose beginning was looked at and is still to be read."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._seen: list[Message] = []

    async def look(self, *, is_whole: bool) -> bytes:
        """The first ``PEEK_BYTES``, or everything (the gate bounds it)."""
        body = b""
        while is_whole or len(body) < PEEK_BYTES:
            message = await self._receive()
            self._seen.append(message)
            body += message.get("body", b"")
            if message["type"] != "http.request" or not message.get("more_body", False):
                break
        return body if is_whole else body[:PEEK_BYTES]

    async def receive(self) -> Message:
        return self._seen.pop(0) if self._seen else await self._receive()


def _has_parts(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").lower().startswith("multipart/form-data")


def _token_in(body: bytes, *, has_parts: bool) -> str:
    if has_parts:
        found = _PART.search(body)
        return found[1].decode("ascii", "replace") if found else ""
    if not _FIELD.search(body):
        return ""
    return parse_qs(body.decode("ascii", "replace")).get(FIELD, [""])[0]
