"""An analysis as a reviewer's corrections make it: what of it holds, what is to be judged anew. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.schemas.analysis import Analysis, Notice
from app.schemas.correction import Draft, Edit, Judged
from app.schemas.reading import Reading
from app.schemas.sentiment import Sentiment
from app.schemas.transcript import Segment
from app.schemas.utterance import Utterance
from app.services.annotation_service import annotate
from app.services.coachable.compiled_playbook import CompiledPlaybook
from app.services.coachable_service import CoachableService
from app.services.metrics_service import measure
from app.services.speaker_edits import apply_edits
from app.services.text_edits import apply_texts, speaker_edits_of
from app.services.utterances import utterances_of

_ROLES_CORRECTED = "roles_corrected"


@dataclass(frozen=True)
class _Known:
    """What was made of an utterance."""

    utterance: Utterance
    sentiment: Sentiment | None
    reading: Reading | None


def drafted(
    original: Analysis, edits: Sequence[Edit], earlier: Analysis, *, heed_roles: bool = False
) -> Draft:
    """``original`` with its corrections. Sentiment and reading of a segment stay where it says the same after
    the same words: those of ``earlier``, the analysis as it was corrected before, else those of the original.

    With ``heed_roles`` they stay only where the roles are the same too. Raises ValidationFailed for a speaker
    that there is not.
    """
    heard = original.conversation
    segments, speakers = apply_edits(heard.segments, heard.speakers, speaker_edits_of(edits))
    segments = apply_texts(segments, edits)
    sources = [_known(earlier)]
    if earlier is not original and earlier.engines == original.engines:
        sources.append(_known(original))
    found: list[_Known | None] = []
    for segment, utterance in zip(segments, utterances_of(segments), strict=True):
        candidates = (source.get(segment.index) for source in sources)
        found.append(
            next((known for known in candidates if known and _holds(known, utterance, heed_roles)), None)
        )
    conversation = replace(
        heard,
        segments=segments,
        speakers=speakers,
        sentiments=tuple(known.sentiment if known else None for known in found),
        readings=tuple(known.reading if known else None for known in found),
    )
    unjudged = tuple(place for place, known in enumerate(found) if known is None)
    return Draft(conversation, unjudged, dict(earlier.engines))


def left_as_judged(draft: Draft, earlier: Analysis) -> Judged:
    """The draft where nobody is asked anew: what speakers' corrections alone leave unjudged, since other
    words come before it now, keeps what was made of it. So do the warnings about that."""
    known = _known(earlier)
    sentiments, readings = list(draft.conversation.sentiments), list(draft.conversation.readings)
    for place in draft.unjudged:
        before = known[draft.conversation.segments[place].index]
        sentiments[place], readings[place] = before.sentiment, before.reading
    notices = tuple(notice for notice in earlier.warnings if notice.code != _ROLES_CORRECTED)
    return Judged(tuple(sentiments), tuple(readings), {}, notices, earlier.failed_stages)


def concluded(
    call_id: str,
    original: Analysis,
    draft: Draft,
    judged: Judged,
    playbook: CompiledPlaybook,
    coachable: CoachableService,
) -> Analysis:
    """The whole corrected analysis, metrics and moments made anew, but for a stage that failed before."""
    conversation = replace(draft.conversation, sentiments=judged.sentiments, readings=judged.readings)
    metrics = None if "metrics" in original.failed_stages else measure(conversation)
    moments = (
        ()
        if "moments" in original.failed_stages
        else coachable.find(
            call_id,
            conversation.segments,
            original.language,
            metrics,
            playbook,
            sentiments=conversation.sentiments,
            readings=conversation.readings,
        )
    )
    analysed, call_moments = annotate(conversation, moments, coachable.judge)
    notices = (*judged.notices, *stale_readings(conversation.segments, conversation.readings))
    return replace(
        original,
        segments=analysed,
        speakers=conversation.speakers,
        metrics=metrics,
        call_moments=call_moments,
        playbook=playbook.name,
        playbook_revision=playbook.revision,
        engines={**draft.engines, **judged.engines},
        degraded=original.degraded or any(notice.code == "degraded_engine" for notice in notices),
        warnings=tuple(dict.fromkeys((*original.warnings, *notices))),
        failed_stages=tuple(dict.fromkeys((*original.failed_stages, *judged.failed_stages))),
    )


def stale_readings(segments: Sequence[Segment], readings: Sequence[Reading | None]) -> tuple[Notice, ...]:
    """That readings made for other roles count no more; there is nobody here to make them anew."""
    pairs = zip(segments, readings, strict=True)
    if all(reading is None or reading.role == segment.role for segment, reading in pairs):
        return ()
    told = "roles were corrected: until the call is analysed again, rules alone find moments in their words"
    return (Notice("reading", _ROLES_CORRECTED, told),)


def _known(analysis: Analysis) -> dict[int, _Known]:
    """By the segments' indices."""
    said = utterances_of([part.segment for part in analysis.segments])
    return {
        part.segment.index: _Known(utterance, part.sentiment, part.reading)
        for part, utterance in zip(analysis.segments, said, strict=True)
    }


def _holds(known: _Known, utterance: Utterance, heed_roles: bool) -> bool:
    if heed_roles:
        return known.utterance == utterance
    return _words(known.utterance) == _words(utterance)


def _words(utterance: Utterance) -> tuple[str, str | None]:
    return utterance.text, utterance.before.text if utterance.before else None
