"""A stored analysis as what was heard: the later stages can be done again without a recording. Pure."""

from __future__ import annotations

from app.schemas.analysis import Analysis
from app.schemas.heard import Heard, Told
from app.schemas.speaker import RoleSource
from app.schemas.transcript import Transcript

_ENGINES = ("stt", "diarization")
_HEARING = (*_ENGINES, "decode", "voice_activity", "transcribe")
_DECODE, _DEGRADED = "decode", "degraded_engine"


def heard_again(analysis: Analysis, playbook: str | None = None, revision: str | None = None) -> Heard:
    """Words, segments, speakers and their roles as they are in an analysis that no reviewer corrected.

    What is known of how they were heard (engines, warnings, a failed diarization) stays with them. Roles are
    to be found where that failed and nobody has set one.
    """
    words = [word for part in analysis.segments for word in part.segment.words]
    are_known = "roles" not in analysis.failed_stages or any(
        speaker.role_source is RoleSource.MANUAL for speaker in analysis.speakers
    )
    notices = [notice for notice in analysis.warnings if notice.stage in _HEARING]
    return Heard(
        duration_s=analysis.duration_s,
        damaged=_DECODE in analysis.failed_stages,
        transcript=Transcript(
            tuple(sorted(words, key=lambda word: word.start_s)),
            analysis.language,
            analysis.language_confidence,
        ),
        engines={stage: label for stage, label in analysis.engines.items() if stage in _ENGINES},
        degraded=tuple(notice for notice in notices if notice.code == _DEGRADED),
        loudness=analysis.loudness,
        separate_channels=analysis.separate_channels,
        turns=(),
        # That the recording is damaged is said again by what it is told from.
        notices=tuple(notice for notice in notices if notice.code != _DEGRADED and notice.stage != _DECODE),
        failed_stages=tuple(
            stage for stage in analysis.failed_stages if stage in _HEARING and stage != _DECODE
        ),
        readings=analysis.conversation.readings,
        told=Told(
            tuple(part.segment for part in analysis.segments),
            analysis.speakers if are_known else None,
            playbook=playbook,
            revision=revision,
            is_original=True,
        ),
    )
