"""What must hold for a rule, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from app.services.coachable.conditions import Condition
from app.services.coachable.detectors.dead_air import DeadAir
from app.services.coachable.detectors.fast_pace import FastPace
from app.services.coachable.detectors.interruption import Interruption
from app.services.coachable.detectors.monologue import Monologue
from app.services.coachable.detectors.registry import SignalCondition
from app.services.coachable.detectors.slow_response import SlowResponse
from app.services.coachable.measured import (
    InInterruption,
    InMonologue,
    Loudness,
    OnTheCall,
    Pace,
    Place,
    SentimentScore,
    Silence,
)
from app.services.coachable.sequence import Reference
from app.web.contexts.playbooks import ConditionLine

SHOWN_PHRASES = 6
_NEGATED = {"excluded": "what is negated does not count", "required": "only what is negated counts"}
_BY = {"anyone": "", "same": " by the same speaker", "other": " by another speaker"}


def condition_lines(condition: Condition | SignalCondition) -> tuple[ConditionLine, ...]:
    """One line for each thing that must hold, parts of a part deeper than it."""
    if isinstance(condition, SignalCondition):
        return (ConditionLine(0, _signal(condition)),)
    return tuple(_lines(condition, 0))


def _lines(condition: Condition, depth: int) -> Iterator[ConditionLine]:
    if condition.has_words:
        yield from _words(condition, depth)
    for name, reference in (("After", condition.after), ("Before", condition.before)):
        if reference is not None:
            yield ConditionLine(depth, f"{name} {_reference(reference)}")
    for measured in condition.on_the_call:
        yield ConditionLine(depth, _MEASURED[type(measured)](measured))
    for text, parts in (
        ("All of these:", condition.all or ()),
        ("Any of these:", condition.any or ()),
        ("Not:", (condition.not_,) if condition.not_ else ()),
    ):
        if parts:
            yield ConditionLine(depth, text)
            for part in parts:
                yield from _lines(part, depth + 1)


def _words(condition: Condition, depth: int) -> Iterator[ConditionLine]:
    if condition.order == "any":
        within = condition.within_words
        yield _said(depth, f"All are said within {within} words of a sentence:", condition.phrases)
    elif condition.phrases:
        count = "One of these is" if condition.at_least == 1 else f"{condition.at_least} of these are"
        yield _said(depth, f"{count} said:", condition.phrases)
    if condition.regex:
        yield _said(
            depth, "Or what is said fits:" if condition.phrases else "What is said fits:", condition.regex
        )
    if condition.unless:
        yield _said(depth, "But not within:", condition.unless)
    if condition.absent:
        yield _said(depth, "And none of these is said beside it:", condition.absent)
    if condition.only_questions:
        yield ConditionLine(depth, "Within a question")
    if condition.negated in _NEGATED:
        yield ConditionLine(depth, _NEGATED[condition.negated].capitalize())


def _said(depth: int, text: str, phrases: Sequence[str]) -> ConditionLine:
    return ConditionLine(depth, text, tuple(phrases[:SHOWN_PHRASES]), max(len(phrases) - SHOWN_PHRASES, 0))


def _reference(reference: Reference) -> str:
    if reference.rule is not None:
        what = f"what the rule {reference.rule} finds"
    else:
        kind = str(reference.type).replace("_", " ")
        what = f"{kind} ({reference.subtype.replace('_', ' ')})" if reference.subtype else kind
    by = _BY.get(reference.by, f" by the {reference.by}")
    within = "" if reference.within_s is None else f", within {reference.within_s:g} s"
    return f"{what}{by}{within}"


def _place(place: Place) -> str:
    return "In the " + " and the ".join(_places(place))


def _silence(silence: Silence) -> str:
    sides = ((silence.before_at_least_s, "before"), (silence.after_at_least_s, "after"))
    told = [f"{seconds:g} s {where}" for seconds, where in sides if seconds is not None]
    return f"Nobody speaks for {' and '.join(told)} it"


def _pace(pace: Pace) -> str:
    bounds = _bounds("over", pace.over_words_per_minute, "under", pace.under_words_per_minute)
    return f"Spoken at {bounds} words a minute, for {pace.at_least_s:g} s at least"


def _loudness(loudness: Loudness) -> str:
    bounds = _bounds("Louder by", loudness.louder_by_db, "quieter by", loudness.quieter_by_db)
    return f"{bounds[0].upper()}{bounds[1:]} dB than the speaker is as a rule"


def _sentiment(sentiment: SentimentScore) -> str:
    return f"Sentiment {_bounds('above', sentiment.above, 'below', sentiment.below)}"


def _in_monologue(monologue: InMonologue) -> str:
    return f"Within a monologue of more than {monologue.longer_than_s:g} s"


def _in_interruption(interruption: InInterruption) -> str:
    who = {"speaker": "Its speaker interrupts", "other": "Its speaker is interrupted"}
    told = who.get(interruption.by, "Somebody interrupts")
    return f"{told}, with {interruption.overlap_at_least_s:g} s of both speaking"


_MEASURED: dict[type[OnTheCall], Callable[[Any], str]] = {
    Place: _place,
    Silence: _silence,
    Pace: _pace,
    Loudness: _loudness,
    SentimentScore: _sentiment,
    InMonologue: _in_monologue,
    InInterruption: _in_interruption,
}


def _places(place: Place) -> Iterator[str]:
    for where, seconds, percent in (
        ("first", place.first_s, place.first_percent),
        ("last", place.last_s, place.last_percent),
    ):
        if seconds is not None:
            yield f"{where} {seconds:g} s"
        if percent is not None:
            yield f"{where} {percent:g} % of the call"


def _bounds(over: str, least: float | None, under: str, most: float | None) -> str:
    told = [f"{word} {value:g}" for word, value in ((over, least), (under, most)) if value is not None]
    return " and ".join(told)


def _signal(condition: SignalCondition) -> str:
    match condition.detector:
        case Monologue() as signal:
            return (
                f"Holds the floor for more than {signal.longer_than_s:g} s; turns of others under "
                f"{signal.interjection_under_s:g} s do not break it"
            )
        case Interruption() as signal:
            return f"Interrupts, with {signal.overlap_at_least_s:g} s of both speaking at least"
        case DeadAir() as signal:
            return f"Nobody speaks for {signal.at_least_s:g} s in the midst of the call"
        case FastPace() as signal:
            return (
                f"Over {signal.over_words_per_minute:g} words a minute, for {signal.at_least_s:g} s at least"
            )
        case SlowResponse() as signal:
            return f"Answers a question after more than {signal.longer_than_s:g} s"
    raise TypeError(condition.signal)
