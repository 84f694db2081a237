"""One moment of a stored call, for what is asked and answered about it alone."""

from __future__ import annotations

from app.core.exceptions import CallNotReady
from app.schemas.guards import found_moment
from app.services.bootstrap import Services
from app.services.exports.labels import speaker_labels
from app.web.call.head import has_audio, has_words
from app.web.call.moments import moments_shown
from app.web.contexts.call_moments import MomentOnly
from app.web.contexts.frame import Frame


def moment_only(call_id: str, moment_id: str, frame: Frame, services: Services) -> MomentOnly:
    """Raises CallNotFound, CallNotReady and MomentNotFound."""
    stored = services.calls.read(call_id)
    analysis = stored.analysis
    if analysis is None:
        raise CallNotReady(f"call {call_id} is {stored.record.status}")
    wanted = found_moment(analysis.moments, call_id, moment_id)
    moments = moments_shown(analysis, speaker_labels(analysis.speakers), stored.reviews)
    shown = next(one for one in moments if one.id == wanted.id)
    return MomentOnly(frame, call_id, shown, has_words(stored.record), has_audio(stored.record))
