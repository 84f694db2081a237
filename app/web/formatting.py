"""How values look on a page: filters of the templates. What a reader's own clock would say, frame.js says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

MOST_SCORE = 5.0
"""Sentiment lies between this and its opposite."""
MOST_DRAWN = 3.0
"""A stretch of a call is hardly ever beyond this: there a small curve is level."""
_CLEAR = 0.5
_STATUS = {
    "queued": "Queued",
    "processing": "In work",
    "completed": "Done",
    "completed_with_warnings": "With warnings",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
_STAGE = {
    "decode": "Opening the recording",
    "voice_activity": "Finding speech",
    "transcribe": "Speech to text",
    "stt": "Speech to text",
    "diarization": "Who speaks",
    "roles": "Who is the agent",
    "reading": "Reading the words",
    "metrics": "Numbers",
    "coachable": "Moments",
    "persist": "Saving",
}
"""Stages of the work whose names say little to those who wait for it."""


@dataclass(frozen=True)
class Spark:
    """A curve in pixels: stretches without a gap as `points` of a polyline, and where the last one ends."""

    lines: tuple[str, ...]
    last_x: float
    last_y: float
    last_score: float


def spark(scores: Sequence[float | None], width: int, height: int) -> Spark | None:
    """``scores`` at equal steps from left to right, None where nothing is known; None without any."""
    step = width / max(len(scores) - 1, 1)
    places = [
        None if score is None else (round(at * step, 1), round(_y_of(score, height), 1), score)
        for at, score in enumerate(scores)
    ]
    known = [place for place in places if place is not None]
    if not known:
        return None
    lines = tuple(" ".join(f"{x:g},{y:g}" for x, y, _ in run) for run in runs(places))
    return Spark(lines, *known[-1])


def _y_of(score: float, height: int) -> float:
    bounded = min(max(score / MOST_DRAWN, -1.0), 1.0)
    return height / 2 - bounded * (height / 2 - 2)


def runs(places: Sequence[tuple[float, float, float] | None]) -> Iterator[list[tuple[float, float, float]]]:
    """The stretches of ``places`` without a gap."""
    run: list[tuple[float, float, float]] = []
    for place in (*places, None):
        if place is not None:
            run.append(place)
        elif run:
            yield run
            run = []


def score_words(scores: Sequence[float | None]) -> str:
    """The curve for those who cannot see it: how it begins and how it ends."""
    known = [score for score in scores if score is not None]
    return f"{_feeling(known[0])} at first, {_feeling(known[-1])} at the end" if known else "not known"


def _feeling(score: float) -> str:
    if abs(score) < _CLEAR:
        return "neutral"
    return "positive" if score > 0 else "negative"


def clock(seconds: float | None) -> str:
    """`12:40`, `1:02:03`, of whole seconds that are over, as players count; a dash where it is not known."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def length_of(seconds: float) -> str:
    """Of a stretch of a call: `7.2 s`, `3:40`."""
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds)


def percent(share: float) -> str:
    return f"{round(share * 100)} %"


def score(value: float | None) -> str:
    """Sentiment, or a change of it, with its sign, unless it is zero as it is written."""
    if value is None:
        return "–"
    rounded = round(value, 1)
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0"


def spelled(name: str) -> str:
    """`buying_signal` as people write it."""
    return name.replace("_", " ").capitalize()


def status_words(status: str) -> str:
    return _STATUS[status]


def stage_words(stage: str) -> str:
    return _STAGE.get(stage) or spelled(stage)


def sentence(text: str) -> str:
    """What the API says in a few words, as it stands alone on a page."""
    whole = text[:1].upper() + text[1:]
    return whole if not whole or whole.endswith((".", "!", "?", "…")) else f"{whole}."


def iso(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_and_time(value: datetime) -> str:
    utc = value.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"


FILTERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        spark,
        score_words,
        clock,
        length_of,
        percent,
        score,
        spelled,
        status_words,
        stage_words,
        sentence,
        iso,
        day_and_time,
    )
}
