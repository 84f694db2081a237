"""A finished transcript that somebody brings, as the later stages want it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.exceptions import ValidationFailed
from app.schemas.heard import Heard, Told
from app.schemas.speaker import Role, RoleSource, Speaker
from app.schemas.transcript import Segment, Transcript
from app.services.stt.word_times import spread

USUAL_WORD_S = 0.4
"""A word at 150 a minute. Stands for times that nobody knows: words keep their order, and the share of the
call that lies before them."""


@dataclass(frozen=True)
class GivenSegment:
    """What one party says. ``speaker`` is None where only the role, or nothing, tells who it is; times are
    seconds from the start of the recording, or None."""

    text: str
    speaker: str | None = None
    role: Role = Role.UNKNOWN
    start_s: float | None = None
    end_s: float | None = None


def heard_of(given: Sequence[GivenSegment], language: str, duration_s: float = 0.0) -> Heard:
    """The transcript as if it had been heard, with the segments as they were given.

    Words get their share of the time of their segment, and are marked as estimated. Where no segment has a
    role, roles are to be found; else a speaker without one has none. ``duration_s`` is a least length of the
    recording. Raises ValidationFailed, naming the field, for times that are there in one segment and
    missing in another or that run backwards, and for a speaker with two roles.
    """
    is_timed = _check_times(given)
    roles = _roles(given)
    segments = tuple(
        Segment(index, _speaker(part), spread(_line(part.text), *times), roles[_speaker(part)].value)
        for index, (part, times) in enumerate(zip(given, _times(given), strict=True))
    )
    words = tuple(word for segment in segments for word in segment.words)
    are_known = any(role is not Role.UNKNOWN for role in roles.values())
    told = Told(segments, tuple(_told(*item) for item in roles.items()) if are_known else None, is_timed)
    return Heard(
        duration_s=max([duration_s, *(segment.end_s for segment in segments)]),
        damaged=False,
        transcript=Transcript(words, language),
        engines={},
        turns=(),
        told=told,
    )


def _check_times(given: Sequence[GivenSegment]) -> bool:
    """Whether there are times."""
    is_timed = any(time_s is not None for part in given for time_s in (part.start_s, part.end_s))
    before_s = 0.0
    for index, part in enumerate(given):
        for name, time_s in (("start_time", part.start_s), ("end_time", part.end_s)):
            if is_timed and time_s is None:
                raise _invalid(index, name, "must be given, as other times are")
            if time_s is not None and time_s < before_s:
                what = "the start of the segment" if name == "end_time" else "that of the segment before"
                raise _invalid(index, name, f"must not be earlier than {what}")
            before_s = before_s if time_s is None else time_s
        before_s = part.start_s or 0.0  # the next one may begin while this one still speaks
    return is_timed


def _times(given: Sequence[GivenSegment]) -> list[tuple[float, float]]:
    times, at_s = [], 0.0
    for part in given:
        if part.start_s is not None and part.end_s is not None:
            times.append((part.start_s, part.end_s))
        else:
            times.append((at_s, at_s := at_s + USUAL_WORD_S * len(part.text.split())))
    return times


def _line(text: str) -> str:
    """A segment's text is its joined words."""
    return " ".join(text.split())


def _speaker(part: GivenSegment) -> str:
    """Who is not named is told apart by role alone."""
    if part.speaker is not None:
        return part.speaker
    return "speaker_0" if part.role is Role.UNKNOWN else part.role.value


def _roles(given: Sequence[GivenSegment]) -> dict[str, Role]:
    """The role of each speaker, in order of appearance."""
    roles: dict[str, Role] = {}
    for index, part in enumerate(given):
        speaker = _speaker(part)
        known = roles.setdefault(speaker, part.role)
        if known is Role.UNKNOWN:
            roles[speaker] = part.role
        elif part.role not in (Role.UNKNOWN, known):
            raise _invalid(index, "role", f"must be {known}, as in other segments of this speaker")
    return roles


def _told(speaker: str, role: Role) -> Speaker:
    if role is Role.UNKNOWN:
        return Speaker(speaker)
    return Speaker(speaker, role, 1.0, RoleSource.METADATA)


def _invalid(index: int, name: str, message: str) -> ValidationFailed:
    field = f"segments.{index}.{name}"
    return ValidationFailed.of(field, message)
