"""What reviewers put right on the call's page: who spoke, and what was said."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.api.calls import CallIdPath
from app.api.corrections import CorrectionIdPath, SegmentPath
from app.api.deps import RuntimeDep, ServicesDep
from app.core.exceptions import SegmentNotFound
from app.schemas.correction_models import TextPatch
from app.schemas.requests import SpeakersPatch
from app.services.exports.labels import speaker_labels
from app.web.addresses import CALLS, call_address
from app.web.call.beginning import comes_later
from app.web.contexts.call_transcript import CorrectionForm, CorrectSegment
from app.web.forms import HxRequest, TextField, checked
from app.web.frame import FrameDep
from app.web.rendering import ask, see_other

router = APIRouter(prefix=CALLS, include_in_schema=False)

SPEAKERS = "speakers"


@router.post("/{call_id}/speakers")
def correct_speaker(
    call_id: CallIdPath, services: ServicesDep, speaker: TextField, role: TextField, name: TextField = ""
) -> Response:
    """An empty name takes the name away."""
    right = {"name": name.strip() or None, "role": role}
    services.speakers.edit(call_id, checked(SpeakersPatch, {"speakers": {speaker: right}}).edits)
    return see_other(call_address(call_id, SPEAKERS))


@router.post("/{call_id}/speakers/swap")
def swap_speakers(
    call_id: CallIdPath, services: ServicesDep, first: TextField, second: TextField
) -> Response:
    services.speakers.edit(call_id, checked(SpeakersPatch, {"swap": (first, second)}).edits)
    return see_other(call_address(call_id, SPEAKERS))


@router.post("/{call_id}/speakers/merge")
def merge_speakers(
    call_id: CallIdPath, services: ServicesDep, speaker: TextField, into: TextField
) -> Response:
    merge = [{"speaker": speaker, "into": into}]
    services.speakers.edit(call_id, checked(SpeakersPatch, {"merge": merge}).edits)
    return see_other(call_address(call_id, SPEAKERS))


@router.get("/{call_id}/segments/{index}")
def ask_for_words(
    call_id: CallIdPath,
    index: SegmentPath,
    frame: FrameDep,
    services: ServicesDep,
    hx_request: HxRequest = False,
) -> Response:
    _, analysis = services.calls.finished(call_id)
    segment = next((one.segment for one in analysis.segments if one.segment.index == index), None)
    if segment is None:
        raise SegmentNotFound(f"the result of the call has no segment {index}")
    made = (one for one in services.corrections.of_call(call_id) if one.segment == index)
    form = CorrectionForm(
        call_id=call_id,
        index=index,
        label=speaker_labels(analysis.speakers).get(segment.speaker, segment.speaker),
        start_s=segment.start_s,
        text=segment.text,
        heard=next((one.heard for one in made), None),
    )
    return ask(CorrectSegment(frame, form), in_dialog=hx_request)


@router.post("/{call_id}/segments/{index}")
def correct_words(
    call_id: CallIdPath,
    index: SegmentPath,
    runtime: RuntimeDep,
    text: TextField = "",
    original: TextField = "",
) -> Response:
    """``original``: give back what was heard."""
    runtime.check_open()
    corrections, judge = runtime.services.corrections, runtime.words.judge
    if original:
        corrections.withdraw(call_id, index, judge)
    else:
        corrections.correct(call_id, index, checked(TextPatch, {"text": text}).text, judge)
    return see_other(call_address(call_id, f"s{index}", whole=comes_later(index)))


@router.post("/{call_id}/corrections/{correction_id}/drop")
def drop_correction(call_id: CallIdPath, correction_id: CorrectionIdPath, runtime: RuntimeDep) -> Response:
    runtime.check_open()
    runtime.services.corrections.drop(call_id, correction_id, runtime.words.judge)
    return see_other(call_address(call_id, "transcript"))
