"""A transcript that somebody pasted, a line a segment, as given segments. Pure."""

from __future__ import annotations

import re

from app.schemas.speaker import Role
from app.services.given_transcript import GivenSegment

_LINE = re.compile(r"\s*(?:(?P<who>[^\W_][\w .'-]{0,39}):\s+)?(?P<text>\S.*)")
_ROLES = {"agent": Role.AGENT, "customer": Role.CUSTOMER}


def segments_in(text: str) -> list[GivenSegment]:
    """What each line says. ``Agent:`` and ``Customer:`` name the role, anything else before a colon a speaker
    of unknown role; a line with nothing before it goes on with the speaker before."""
    found: list[GivenSegment] = []
    speaker, role = None, Role.UNKNOWN
    for line in text.splitlines():
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            continue
        if match["who"]:
            role = _ROLES.get(match["who"].strip().casefold(), Role.UNKNOWN)
            speaker = match["who"].strip() if role is Role.UNKNOWN else None
        found.append(GivenSegment(match["text"], speaker, role))
    return found
