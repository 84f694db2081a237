"""Corrections of what segments say, among the other corrections of a call. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.schemas.correction import CorrectText, Edit
from app.schemas.speaker import SpeakerEdit
from app.schemas.transcript import Segment
from app.services.text_alignment import corrected_words, one_line

SAME_TIME_S = 0.5
"""How far apart two hearings of the same words may begin and end."""


def texts_of(edits: Iterable[Edit]) -> tuple[CorrectText, ...]:
    """The corrections of the text, in order of time."""
    found = (edit for edit in edits if isinstance(edit, CorrectText))
    return tuple(sorted(found, key=lambda edit: edit.place))


def speaker_edits_of(edits: Iterable[Edit]) -> tuple[SpeakerEdit, ...]:
    """The corrections of the speakers, in the order in which they were made."""
    return tuple(edit for edit in edits if not isinstance(edit, CorrectText))


def joined(speakers: Iterable[SpeakerEdit], texts: Iterable[CorrectText]) -> tuple[Edit, ...]:
    """All corrections, as they are kept; the two kinds do not depend on one another."""
    return (*speakers, *texts_of(texts))


def with_text(edits: Sequence[Edit], new: CorrectText) -> tuple[Edit, ...]:
    """``new`` in the place of an earlier correction of its segment, and of what fits no more and was about
    the same time; what says the text as it was heard is no correction."""
    kept = [edit for edit in texts_of(edits) if not _is_superseded(edit, new)]
    if one_line(new.text) != one_line(new.heard):
        kept.append(new)
    return joined(speaker_edits_of(edits), kept)


def without_text(edits: Sequence[Edit], correction_id: str) -> tuple[Edit, ...]:
    """All but this one."""
    left = (edit for edit in texts_of(edits) if edit.id != correction_id)
    return joined(speaker_edits_of(edits), left)


def apply_texts(segments: Sequence[Segment], edits: Iterable[Edit]) -> tuple[Segment, ...]:
    """The segments with the words that they are said to hold."""
    texts = {edit.segment: edit.text for edit in texts_of(edits)}
    return tuple(
        replace(segment, words=corrected_words(segment.words, texts[segment.index]))
        if segment.index in texts
        else segment
        for segment in segments
    )


def placed(texts: Iterable[CorrectText], segments: Sequence[Segment]) -> tuple[CorrectText, ...]:
    """The corrections as they fit this hearing: each on the segment that says the same as before at the same
    time, in the same channel; on none where there is no such segment."""
    free = list(segments)
    found = []
    for text in texts:
        segment = next((segment for segment in free if _is_about(text, segment)), None)
        if segment is not None:
            free.remove(segment)
        found.append(replace(text, segment=segment.index if segment else None))
    return tuple(found)


def out_of_place(texts: Iterable[CorrectText]) -> tuple[CorrectText, ...]:
    """The corrections once other words have taken the place of all that was heard."""
    return tuple(replace(text, segment=None) for text in texts)


def _is_superseded(edit: CorrectText, new: CorrectText) -> bool:
    if edit.segment is not None:
        return edit.segment == new.segment
    return edit.channel == new.channel and edit.start_s < new.end_s and new.start_s < edit.end_s


def _is_about(text: CorrectText, segment: Segment) -> bool:
    return (
        one_line(segment.text) == one_line(text.heard)
        and segment.words[0].channel == text.channel
        and abs(segment.start_s - text.start_s) <= SAME_TIME_S
        and abs(segment.end_s - text.end_s) <= SAME_TIME_S
    )
