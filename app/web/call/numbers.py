"""The metrics of a call, written out for its page, each with the figure that people quote for it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from app.schemas.analysis import Analysis
from app.schemas.metrics import Guide, Metrics, PartyMetrics, SpeakerSpan
from app.schemas.speaker import Role
from app.web.call.places import place_lists, segment_finder
from app.web.contexts.call_numbers import (
    Figure,
    GuideShown,
    Numbers,
    PartyColumn,
    PartyRow,
    Place,
)
from app.web.formatting import clock, percent, score

Guides = Mapping[str, GuideShown]
_Value = Callable[[PartyMetrics], str | None]


def numbers_of(analysis: Analysis, metrics: Metrics, labels: Mapping[str, str]) -> Numbers:
    guides = {guide.metric: guide_shown(guide) for guide in metrics.guides}
    find = segment_finder(analysis)
    return Numbers(
        version=metrics.metrics_version,
        figures=tuple(_figures(metrics, guides, find)),
        columns=tuple(PartyColumn(labels[party.speaker], party.role) for party in metrics.parties),
        rows=tuple(_rows(metrics, guides)),
        lists=place_lists(analysis, metrics, labels),
    )


def guide_shown(guide: Guide) -> GuideShown:
    """`at most 2:30`, `0.6 to 1 s`."""
    least, most = _bound(guide.least, guide.unit), _bound(guide.most, guide.unit)
    if least is None:
        text = f"at most {most}"
    elif most is None:
        text = f"at least {least}"
    else:
        text = least if least == most else f"{least} to {most}"
    return GuideShown(text, guide.source)


def _bound(value: float | None, unit: str) -> str | None:
    if value is None:
        return None
    if unit == "share":
        return percent(value)
    if unit == "seconds":
        return clock(value) if value >= 10 else f"{value:g} s"
    return f"{value:g}"


def _figures(metrics: Metrics, guides: Guides, find: Callable[[float], int | None]) -> Iterator[Figure]:
    patience, sentiment = metrics.patience, metrics.sentiment
    yield Figure(
        "share_of_speech",
        "Agent talks",
        _text(metrics.share_of_speech, percent),
        "of what both say",
        guides.get("share_of_speech"),
        None,
        metrics.share_of_speech,
    )
    yield _turn(
        "longest_monologue", "Longest monologue", "of the agent", metrics.longest_monologue, guides, find
    )
    yield _turn(
        "longest_customer_story",
        "Longest customer story",
        "of the customer",
        metrics.longest_customer_story,
        guides,
        find,
    )
    about = "from the customer's end to the agent's start, median"
    yield _figure(
        "patience", "Patience", _text(patience.median_s if patience else None, _seconds), about, guides
    )
    about = "changes of speaker a minute"
    yield _figure("interactivity", "Interactivity", _text(metrics.interactivity, _plain), about, guides)
    yield _figure("interruptions", "Interruptions", _interruptions(metrics), "agent : customer", guides)
    share = f"{percent(metrics.silence_s / metrics.duration_s)} of the call" if metrics.duration_s else ""
    yield _figure("silence", "Silence", clock(metrics.silence_s), share, guides)
    about = "in 100 words of the agent"
    yield _figure("fillers", "Fillers", _text(metrics.agent_fillers_per_100_words, _plain), about, guides)
    about = "last quarter against the first, from -5 to 5"
    yield _figure("shift", "Sentiment shift", _text(sentiment.shift, score), about, guides)


def _figure(key: str, name: str, value: str | None, about: str, guides: Guides) -> Figure:
    return Figure(key, name, value, about, guides.get(key), None)


def _turn(
    key: str,
    name: str,
    about: str,
    turn: SpeakerSpan | None,
    guides: Guides,
    find: Callable[[float], int | None],
) -> Figure:
    if turn is None:
        return Figure(key, name, None, about, guides.get(key), None)
    place = Place(turn.start_s, clock(turn.start_s), find(turn.start_s))
    return Figure(key, name, clock(turn.end_s - turn.start_s), about, guides.get(key), place)


def _interruptions(metrics: Metrics) -> str | None:
    if not {Role.AGENT, Role.CUSTOMER} & {party.role for party in metrics.parties}:
        return None
    counted = Counter(
        metrics.role_of(one.speaker) for one in metrics.interruptions if one.kind == "interruption"
    )
    return f"{counted[Role.AGENT]} : {counted[Role.CUSTOMER]}"


def _rows(metrics: Metrics, guides: Guides) -> Iterator[PartyRow]:
    total = sum(party.talk_s for party in metrics.parties)
    yield _row(metrics.parties, "Talk time", lambda party: clock(party.talk_s))
    if total:
        yield _row(metrics.parties, "Share of speech", lambda party: percent(party.talk_s / total))
    yield _row(metrics.parties, "Words", lambda party: f"{party.words:,}")
    yield _row(
        metrics.parties,
        "Words a minute",
        lambda party: _text(party.words_per_minute, _whole),
        guides.get("words_per_minute"),
    )
    yield _row(
        metrics.parties,
        "Longest turn",
        lambda party: clock(party.longest_turn.length_s) if party.longest_turn else None,
    )
    yield _row(metrics.parties, "Questions an hour", lambda party: _text(party.questions_per_hour, _whole))
    yield _row(
        metrics.parties,
        "Fillers in 100 words",
        lambda party: _text(party.fillers_per_100_words, _plain),
    )
    yield _row(
        metrics.parties,
        "Loudness, dBFS",
        lambda party: _whole(party.loudness.median_dbfs) if party.loudness else None,
    )


def _row(
    parties: Sequence[PartyMetrics], name: str, value: _Value, guide: GuideShown | None = None
) -> PartyRow:
    return PartyRow(name, tuple(value(party) for party in parties), guide)


def _text(value: float | None, write: Callable[[float], str]) -> str | None:
    return None if value is None else write(value)


def _seconds(value: float) -> str:
    return f"{value:.1f} s".replace("-", "−")


def _plain(value: float) -> str:
    return f"{value:.1f}"


def _whole(value: float) -> str:
    return f"{value:.0f}".replace("-", "−")
