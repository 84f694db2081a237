"""The stretches of a recording that its metrics were made from, as lists to listen to. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from app.schemas.analysis import Analysis
from app.schemas.metrics import Metrics, Question
from app.schemas.transcript import join_words
from app.web.contexts.call_numbers import Place, PlaceList
from app.web.formatting import clock

_MOST = 200
_LONGEST = 90
_SILENCES = {"start": "before anybody speaks", "end": "at the end", "whole": "all of the call"}


def segment_finder(analysis: Analysis) -> Callable[[float], int | None]:
    """Gives the index of the segment that is spoken at a time, or was before it."""
    starts = [one.segment.start_s for one in analysis.segments]
    indices = [one.segment.index for one in analysis.segments]

    def find(time_s: float) -> int | None:
        if not starts:
            return None
        return indices[max(bisect_right(starts, time_s + 0.001) - 1, 0)]

    return find


def place_lists(analysis: Analysis, metrics: Metrics, labels: Mapping[str, str]) -> tuple[PlaceList, ...]:
    """Each kind that there is any of."""
    find = segment_finder(analysis)
    fillers = metrics.fillers or ()
    lists = (
        ("Interruptions", _interruptions(metrics, labels, find), len(metrics.interruptions)),
        ("Silences of 3 s and more", _silences(metrics, find), len(metrics.non_talk)),
        ("Questions", _questions(analysis, metrics, labels), len(metrics.questions)),
        (
            "Fillers",
            (
                Place(one.start_s, f"{labels[one.speaker]}: {one.text}".removesuffix(": "), one.segment)
                for one in fillers
            ),
            len(fillers),
        ),
    )
    return tuple(
        PlaceList(name, f"the first {_MOST} of {count}" if count > _MOST else str(count), shown)
        for name, places, count in lists
        if (shown := tuple(islice(places, _MOST)))
    )


def _interruptions(
    metrics: Metrics, labels: Mapping[str, str], find: Callable[[float], int | None]
) -> Iterator[Place]:
    for one in metrics.interruptions:
        kind = "interrupts" if one.kind == "interruption" else "talks at the same time as"
        guessed = "" if one.reliable else ", as far as one channel tells"
        label = f"{labels[one.speaker]} {kind} {labels[one.over]}, {one.length_s:.1f} s{guessed}"
        yield Place(one.start_s, label, find(one.start_s))


def _silences(metrics: Metrics, find: Callable[[float], int | None]) -> Iterator[Place]:
    for one in metrics.non_talk:
        where = _SILENCES.get(one.place)
        label = f"{clock(one.length_s)} {'dead air' if one.dead_air else 'silence'}"
        yield Place(one.start_s, f"{label}, {where}" if where else label, find(one.start_s))


def _questions(analysis: Analysis, metrics: Metrics, labels: Mapping[str, str]) -> Iterator[Place]:
    segments = {one.segment.index: one.segment for one in analysis.segments}
    for one in metrics.questions:
        text = ""
        if one.segment in segments:
            last = one.last_word + 1 if one.last_segment == one.segment else None
            text = join_words(segments[one.segment].words[one.first_word : last])
        yield Place(one.start_s, _question(one, text, labels), one.segment)


def _question(question: Question, text: str, labels: Mapping[str, str]) -> str:
    label = labels[question.speaker]
    if not text:
        return label
    return f"{label}: {text if len(text) <= _LONGEST else f'{text[:_LONGEST].rstrip()} …'}"
