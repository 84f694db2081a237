"""Each segment with the turn before it, for those who judge words in their context. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.schemas.transcript import Segment
from app.schemas.utterance import Before, Utterance

MOST_BEFORE_CHARS = 600
"""Of a long turn only the end is kept: nobody reads more of it than some twenty words."""


@dataclass
class _Turn:
    speaker: str
    role: str
    text: str

    def goes_on(self, text: str) -> None:
        self.text = f"{self.text} {text}"[-MOST_BEFORE_CHARS:]


def utterances_of(segments: Sequence[Segment]) -> tuple[Utterance, ...]:
    """One a segment, in order. What comes before it is the last turn of another speaker, all of its segments
    joined; a speaker's own earlier segments are part of the same turn."""
    turns: list[_Turn] = []
    utterances = []
    for segment in segments:
        text = segment.text
        utterances.append(Utterance(text, segment.role, _before(turns[-2:], segment.speaker)))
        if turns and turns[-1].speaker == segment.speaker:
            turns[-1].goes_on(text)
        else:
            turns.append(_Turn(segment.speaker, segment.role, text[-MOST_BEFORE_CHARS:]))
    return tuple(utterances)


def _before(turns: Iterable[_Turn], speaker: str) -> Before | None:
    others = [turn for turn in turns if turn.speaker != speaker]
    return Before(others[-1].role, others[-1].text) if others else None
