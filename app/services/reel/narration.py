"""What a voice says of moments."""

from __future__ import annotations

from app.schemas.analysis import Analysis
from app.schemas.moment import Moment, TimedMomentType
from app.schemas.speaker import Role


def words_of(analysis: Analysis, moment: Moment) -> str:
    """The text of the moment's segment; empty for one that belongs to the call."""
    for analysed in analysis.segments:
        if analysed.segment.index == moment.segment:
            return analysed.segment.text
    return ""


def told(number: int | None, moment: Moment, words: str) -> str:
    """A moment without its recording: number, time, speaker, kind, the words, the coaching tip."""
    time = spoken_time(moment.evidence.start_s)
    parts = [f"At {time}" if number is None else f"Moment {number}, at {time}"]
    if moment.speaker is not None:
        parts.append(moment.role if moment.role != Role.UNKNOWN else moment.speaker.replace("_", " "))
    parts.append(kind_of(moment))
    if moment.type in tuple(TimedMomentType):
        parts.append(f"For {spoken_time(moment.evidence.end_s - moment.evidence.start_s)}")
    else:
        parts.append(words.removesuffix("."))
    sentences = " ".join(part if part.endswith(("?", "!")) else f"{part}." for part in parts)
    return f"{sentences} Tip: {moment.tip}"


def introduced(moment: Moment, call_number: int | None) -> str:
    """What comes before the recording: "Objection, price, 12 minutes 40." In a reel of several calls, which
    of them."""
    call = f"call {call_number}, " if call_number is not None else ""
    sentence = f"{call}{kind_of(moment)}, {_short_time(moment.evidence.start_s)}."
    return sentence[0].upper() + sentence[1:]


def title_of(moment: Moment) -> str:
    """`Objection: price`, for people who read."""
    kind = moment.type.replace("_", " ").capitalize()
    return kind if moment.subtype is None else f"{kind}: {moment.subtype.replace('_', ' ')}"


def kind_of(moment: Moment) -> str:
    kind = moment.type.replace("_", " ")
    return kind if moment.subtype is None else f"{kind}, {moment.subtype.replace('_', ' ')}"


def clock(seconds: float) -> str:
    """`12:40`, or `1:02:40`."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def spoken_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    parts = []
    if minutes:
        parts.append(f"{minutes} minute{'s' if minutes != 1 else ''}")
    if rest or not minutes:
        parts.append(f"{rest} second{'s' if rest != 1 else ''}")
    return " ".join(parts)


def _short_time(seconds: float) -> str:
    """ "12 minutes 40", as people say it."""
    minutes, rest = divmod(round(seconds), 60)
    return spoken_time(seconds) if not minutes or not rest else f"{spoken_time(60 * minutes)} {rest}"
