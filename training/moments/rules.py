"""What the rules of the built-in playbook find in labelled lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from app.core.config import Settings
from app.schemas.transcript import Segment, Word
from app.schemas.utterance import Utterance
from app.services.coachable_service import CoachableService
from training.moments.talk import TYPES, Floats, Line


def confidences(lines: Sequence[Line], language: str = "en") -> Floats:
    """(lines, 14): the confidence of the surest rule of each type, 0 where none found it. Each line is a call
    of one segment, after the turn before it."""
    service = CoachableService(Settings(_env_file=None))  # type: ignore[call-arg]
    found = np.zeros((len(lines), len(TYPES)), dtype=np.float32)
    for row, line in enumerate(lines):
        segments = list(_segments(line.utterance))
        for moment in service.find("line", segments, language):
            if moment.segment == len(segments) - 1:
                place = TYPES.index(moment.type)
                found[row, place] = max(found[row, place], moment.confidence)
    return found


def rule_ids() -> list[str]:
    """Of all rules in words that the fit knows, in whatever language."""
    from app.services.coachable.loader import load_playbook

    return sorted(rule.id for rule in load_playbook("default", None).words_rules)


def _segments(utterance: Utterance) -> Iterator[Segment]:
    before = utterance.before
    if before is not None and before.text.strip():
        yield Segment(0, "other", _words(before.text), before.role)
    yield Segment(1 if before is not None and before.text.strip() else 0, "own", _words(utterance.text), utterance.role)


def _words(text: str) -> tuple[Word, ...]:
    return tuple(Word(word, place, place + 0.5) for place, word in enumerate(text.split()))
