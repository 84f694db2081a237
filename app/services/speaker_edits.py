"""What a reviewer's corrections make of the speakers of a call. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.core.exceptions import ValidationFailed
from app.schemas.speaker import (
    MergeSpeakers,
    NameSpeaker,
    Role,
    RoleSource,
    SetRole,
    Speaker,
    SpeakerEdit,
    SwapSpeakers,
)
from app.schemas.transcript import Segment


def with_edits(made: Sequence[SpeakerEdit], new: Iterable[SpeakerEdit]) -> tuple[SpeakerEdit, ...]:
    """``made`` followed by ``new``, without what cancels out: a swap swapped back, a name given twice."""
    edits = list(made)
    for edit in new:
        last = edits[-1] if edits else None
        if isinstance(edit, SwapSpeakers) and _is_same_pair(edit, last):
            edits.pop()
        elif isinstance(edit, NameSpeaker | SetRole) and _says_anew(edit, last):
            edits[-1] = edit
        else:
            edits.append(edit)
    return tuple(edits)


def apply_edits(
    segments: Sequence[Segment], speakers: Sequence[Speaker], edits: Iterable[SpeakerEdit]
) -> tuple[tuple[Segment, ...], tuple[Speaker, ...]]:
    """Segments and speakers as corrected, in this order. Segments are not cut anew.

    Raises ValidationFailed for a speaker that there is not.
    """
    known = {speaker.id: speaker for speaker in speakers}
    now_said_by = {speaker.id: speaker.id for speaker in speakers}
    for edit in edits:
        _check(edit, known)
        if isinstance(edit, NameSpeaker):
            known[edit.speaker] = replace(known[edit.speaker], name=edit.name)
        elif isinstance(edit, SetRole):
            known[edit.speaker] = _with_role(known[edit.speaker], edit.role)
        elif isinstance(edit, SwapSpeakers):
            first, second = known[edit.first], known[edit.second]
            known[edit.first] = replace(_with_role(first, second.role), name=second.name)
            known[edit.second] = replace(_with_role(second, first.role), name=first.name)
        else:
            del known[edit.speaker]
            now_said_by = {
                heard: edit.into if said == edit.speaker else said for heard, said in now_said_by.items()
            }
    said = tuple(
        replace(segment, speaker=(by := now_said_by[segment.speaker]), role=known[by].role.value)
        for segment in segments
    )
    return said, tuple(known.values())


def _with_role(speaker: Speaker, role: Role) -> Speaker:
    if role is Role.UNKNOWN:
        return replace(speaker, role=role, role_confidence=0.0, role_source=RoleSource.NONE)
    return replace(speaker, role=role, role_confidence=1.0, role_source=RoleSource.MANUAL)


def _is_same_pair(edit: SwapSpeakers, last: SpeakerEdit | None) -> bool:
    return isinstance(last, SwapSpeakers) and {edit.first, edit.second} == {last.first, last.second}


def _says_anew(edit: NameSpeaker | SetRole, last: SpeakerEdit | None) -> bool:
    return (
        type(edit) is type(last) and isinstance(last, NameSpeaker | SetRole) and edit.speaker == last.speaker
    )


def _check(edit: SpeakerEdit, known: dict[str, Speaker]) -> None:
    named: tuple[str, ...]
    if isinstance(edit, SwapSpeakers):
        field, named = "swap", (edit.first, edit.second)
    elif isinstance(edit, MergeSpeakers):
        field, named = "merge", (edit.speaker, edit.into)
    else:
        field, named = f"speakers.{edit.speaker}", (edit.speaker,)
    unknown = next((name for name in named if name not in known), None)
    if unknown is not None:
        message = f"there is no {unknown}; the speakers are {', '.join(known) or 'none'}"
        raise ValidationFailed.of(field, message)
    if len(set(named)) < len(named):
        raise ValidationFailed.of(field, "must name two different speakers")
