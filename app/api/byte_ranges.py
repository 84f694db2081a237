"""Parts of a file, as players ask for them (RFC 9110, section 14), and the conditions they come with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from app.api.errors import problem_of, request_id_of
from app.core.exceptions import RangeNotSatisfiable

_ONE_RANGE = re.compile(r"bytes\s*=\s*(?:(\d{1,18})\s*-\s*(\d{0,18})|-\s*(\d{1,18}))\s*", re.IGNORECASE)
LONGEST_HEADER = 100
"""A single range is shorter. Several in one header may be ignored (section 14.2), and are: no player asks for
them, and hostile requests do, by the ten thousand."""


@dataclass(frozen=True)
class Served:
    """What is sent: so many bytes of this type, under this name; ``tag`` tells one content from another."""

    size: int
    tag: str
    media_type: str
    name: str


class Unsatisfiable(Exception):
    """The range lies beyond the end."""


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and past-the-last byte of the one range that is asked for; None where all is to be sent.

    What is malformed, of another unit or of several ranges counts as not asked for. Raises Unsatisfiable.
    """
    if header is None or len(header) > LONGEST_HEADER or not (asked := _ONE_RANGE.fullmatch(header.strip())):
        return None
    first, last, suffix = asked.groups()
    if suffix is not None:
        if not int(suffix) or not size:
            raise Unsatisfiable
        return max(0, size - int(suffix)), size
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise Unsatisfiable
    return int(first), min(int(last) + 1, size) if last else size


def ranged(
    request: Request,
    served: Served,
    read: Callable[[int, int], Iterator[bytes]],
    headers: Mapping[str, str] | None = None,
) -> Response:
    """All of it (200); of what a GET or HEAD asks for, a part (206), nothing new (304), no such part (416).

    ``read`` gives so many bytes (second) from a byte (first) on; it is not called where none are sent.
    """
    told = {
        "Accept-Ranges": "bytes",
        "ETag": f'"{served.tag}"',
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'inline; filename="{served.name}"',
        "X-Content-Type-Options": "nosniff",
        **(headers or {}),
    }
    is_read = request.method in ("GET", "HEAD")
    if is_read and names_tag(request.headers.get("if-none-match"), served.tag):
        return Response(status_code=304, headers=told)
    try:
        part = _asked_part(request, served) if is_read else None
    except Unsatisfiable:
        return _refused(request, served.size)
    first, end = part or (0, served.size)
    told["Content-Length"] = str(end - first)
    if part is not None:
        told["Content-Range"] = f"bytes {first}-{end - 1}/{served.size}"
    status = 200 if part is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=told, media_type=served.media_type)
    return StreamingResponse(read(first, end - first), status, told, media_type=served.media_type)


def file_name(stem: str, suffix: str) -> str:
    """A name that is safe in a header and on every system; ``stem`` is a call's id or our own."""
    return f"{re.sub(r'[^A-Za-z0-9._-]', '_', stem)}.{suffix}"


def _asked_part(request: Request, served: Served) -> tuple[int, int] | None:
    condition = request.headers.get("if-range")
    # A weak tag or a date never matches: no date is told, and a byte is the same or it is not.
    if condition is not None and condition.strip() != f'"{served.tag}"':
        return None
    return byte_range(request.headers.get("range"), served.size)


def names_tag(header: str | None, tag: str) -> bool:
    """Whether an ``If-None-Match`` names the content with this tag."""
    if header is None:
        return False
    tags = (part.strip().removeprefix("W/") for part in header.split(","))
    return header.strip() == "*" or f'"{tag}"' in tags


def _refused(request: Request, size: int) -> Response:
    error = RangeNotSatisfiable(f"it has {size} bytes")
    answer = problem_of(error, request.url.path, request_id_of(request.scope))
    answer.headers["Content-Range"] = f"bytes */{size}"
    return answer
