"""Calls as they may be: who speaks when, over whom and how it feels is drawn, by number."""

from __future__ import annotations

import random
from collections.abc import Iterator

from app.schemas.analysis import AnalysedSegment, Analysis
from app.schemas.moment import Evidence, Moment, MomentType, ObjectionSubtype, TimedMomentType, moment_id
from app.schemas.transcript import Segment
from app.services.metrics_service import measure
from tests.services.metrics.factories import AGENT, CUSTOMER, Line, conversation

_KINDS = (*MomentType, *TimedMomentType, *[MomentType.OBJECTION] * 6)


def random_call(number: int) -> Analysis:
    chance = random.Random(number)
    lines = sorted(_lines(chance), key=lambda line: line.start_s)
    duration_s = max(line.end_s for line in lines) + chance.uniform(0, 8)
    talk = conversation(*lines, duration_s=round(duration_s, 3))
    moments = {segment.index: _moments(chance, number, segment) for segment in talk.segments}
    parts = zip(talk.segments, talk.sentiments, strict=True)
    return Analysis(
        duration_s=talk.duration_s,
        language="en",
        language_confidence=0.9,
        segments=tuple(
            AnalysedSegment(segment, feeling, moments[segment.index], bool(moments[segment.index]), None)
            for segment, feeling in parts
        ),
        engines={"stt": "scripted:x"},
        degraded=False,
        speakers=talk.speakers,
        metrics=measure(talk),
        separate_channels=True,
    )


def _lines(chance: random.Random) -> Iterator[Line]:
    now_s, speaker = chance.uniform(0, 3), AGENT
    for _ in range(chance.randint(6, 26)):
        length_s = chance.choice((0.4, 2.0, 5.0, 30.0)) * chance.uniform(0.5, 1.5)
        text = "yeah" if chance.random() < 0.1 else " ".join(["word"] * max(1, int(length_s * 2)))
        feeling = None if chance.random() < 0.1 else _feeling(chance)
        yield Line(speaker, now_s, now_s + length_s, text, feeling)
        other = CUSTOMER if speaker == AGENT else AGENT
        if length_s > 4 and chance.random() < 0.4:
            at_s = now_s + chance.uniform(1, length_s - 1)
            yield Line(other, at_s, at_s + 0.4, "okay", _feeling(chance))
        now_s = max(0.0, now_s + length_s + chance.choice((-0.6, -0.2, 0.1, 0.8, 2.5, 4.0)))
        speaker = other if chance.random() < 0.8 else speaker


def _feeling(chance: random.Random) -> tuple[float, float]:
    low, high = sorted((chance.random(), chance.random()))
    return low, 1 - high


def _moments(chance: random.Random, number: int, segment: Segment) -> tuple[Moment, ...]:
    return tuple(
        _moment(chance, number, segment, chance.choice(_KINDS)) for _ in range(chance.choice((0, 0, 0, 1, 2)))
    )


def _moment(chance: random.Random, number: int, segment: Segment, kind: str) -> Moment:
    place = chance.randrange(len(segment.words))
    word = segment.words[place]
    subtype = chance.choice(list(ObjectionSubtype)).value if kind == MomentType.OBJECTION else None
    salt = f"{kind}{chance.random()}"
    return Moment(
        id=moment_id(f"CALL-{number}", salt, word.start_s, word.end_s),
        type=str(kind),
        subtype=subtype,
        confidence=round(chance.random(), 3),
        source="rule",
        rule="r",
        why="w",
        tip="t",
        segment=segment.index,
        speaker=segment.speaker,
        role=segment.role,
        evidence=Evidence(word.text, 0, len(word.text), word.start_s, word.end_s, place, place),
    )
