"""What is to be heard of each moment: the stretch of the recording, and what is said around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.schemas.analysis import Analysis
from app.schemas.audio import Span
from app.schemas.call import CallRecord
from app.schemas.moment import Moment
from app.schemas.reel import MomentFilter, ReelSource
from app.services.reel.edges import Reach, clip_span
from app.services.reel.narration import clock, introduced, title_of, told, words_of

LONGEST_CLIP_S = 30.0
"""A monologue of five minutes would be all of a reel; its first half minute shows it."""
OUR_LANGUAGE = "en"
"""Of introductions. Tips are in the playbook's language: the call's, where there is a playbook in it."""


@dataclass(frozen=True)
class FinishedCall:
    """A call that a reel shows something of."""

    record: CallRecord
    analysis: Analysis

    @property
    def language(self) -> str:
        return self.analysis.language or OUR_LANGUAGE


@dataclass(frozen=True)
class Line:
    """What a voice says; ``language``: ISO 639-1."""

    text: str
    language: str


@dataclass(frozen=True)
class Scene:
    """One moment of a reel. ``span``: of the recording, in seconds; it is heard where ``is_heard``.

    ``before`` is said ahead of it (all there is where nothing is heard), ``after`` behind it.
    """

    call: CallRecord
    moment: Moment
    title: str
    span: Span
    is_heard: bool
    before: Line | None = None
    after: Line | None = None


def wanted(analysis: Analysis, filters: MomentFilter) -> tuple[Moment, ...]:
    """The moments of a call that the filters leave, in order of time."""
    coachable = {part.segment.index for part in analysis.segments if part.is_coachable}

    def fits(moment: Moment) -> bool:
        if filters.min_confidence is None:
            is_sure = moment.segment is None or moment.segment in coachable
        else:
            is_sure = moment.confidence >= filters.min_confidence
        return (
            is_sure
            and (not filters.types or moment.type in filters.types)
            and (not filters.subtypes or moment.subtype in filters.subtypes)
            and (filters.role is None or moment.role == filters.role)
        )

    return tuple(moment for moment in analysis.moments if fits(moment))


def scenes_of(
    shown: Sequence[tuple[FinishedCall, Moment]], source: ReelSource, *, all_fit: bool
) -> tuple[Scene, ...]:
    """A scene for each moment, in their order. ``all_fit``: none will be left out, so they can be counted."""
    numbers = {call_id: at for at, call_id in enumerate(_call_ids(shown), start=1)}
    several = len(numbers) > 1
    scenes = []
    for place, (call, moment) in enumerate(shown, start=1):
        call_id = call.record.call_id
        title = f"{title_of(moment)} ({clock(moment.evidence.start_s)})"
        scenes.append(
            _scene(
                call,
                moment,
                source,
                title=f"{call_id} \N{MIDDLE DOT} {title}" if several else title,
                place=place if all_fit else None,
                call_number=numbers[call_id] if several else None,
            )
        )
    return tuple(scenes)


def _scene(
    call: FinishedCall,
    moment: Moment,
    source: ReelSource,
    *,
    title: str,
    place: int | None,
    call_number: int | None,
) -> Scene:
    if source is ReelSource.TTS:
        own = Span(moment.evidence.start_s, moment.evidence.end_s)
        line = Line(told(place, moment, words_of(call.analysis, moment)), call.language)
        return Scene(call.record, moment, title, own, is_heard=False, before=line)
    span = clip_span(call.analysis, moment, Reach(longest_s=LONGEST_CLIP_S))
    if source is ReelSource.ORIGINAL:
        return Scene(call.record, moment, title, span, is_heard=True)
    before = Line(introduced(moment, call_number), OUR_LANGUAGE)
    after = Line(moment.tip, call.language) if moment.tip.strip() else None
    return Scene(call.record, moment, title, span, is_heard=True, before=before, after=after)


def _call_ids(shown: Iterable[tuple[FinishedCall, Moment]]) -> list[str]:
    return list(dict.fromkeys(call.record.call_id for call, _ in shown))
