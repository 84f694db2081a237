"""What the rules of the built-in playbook find in labelled lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.core.config import Settings
from app.schemas.transcript import Segment, Word
from app.schemas.utterance import Utterance
from app.services.coachable.loader import load_playbook
from app.services.coachable_service import CoachableService
from training.moments.talk import TYPES, Floats, Line


def confidences(lines: Sequence[Line], language: str = "en") -> Floats:
    """(lines, 14): the confidence of the surest rule of each type, 0 where none found it. Each line is a call
    of one segment, after the turn before it."""
    service = CoachableService(Settings(_env_file=None))  # type: ignore[call-arg]
    found = np.zeros((len(lines), len(TYPES)), dtype=np.float32)
    for row, line in enumerate(lines):
        segments = segments_of(line.utterance)
        for moment in service.find("line", segments, language):
            if moment.segment == len(segments) - 1:
                place = TYPES.index(moment.type)
                found[row, place] = max(found[row, place], moment.confidence)
    return found


def rule_ids() -> list[str]:
    """Of all rules in words, in whatever language."""
    playbook = load_playbook("default", None)
    return sorted({rule.id for language in playbook.languages for rule, _ in playbook.rules_in(language)})


def segments_of(utterance: Utterance) -> list[Segment]:
    """The utterance as the last segment of a call, the turn before it being another speaker's."""
    before = utterance.before
    parts = [("own", utterance.role, utterance.text)]
    if before is not None and before.text.strip():
        parts.insert(0, ("other", before.role, before.text))
    return [Segment(place, speaker, _words(text), role) for place, (speaker, role, text) in enumerate(parts)]


def _words(text: str) -> tuple[Word, ...]:
    return tuple(Word(word, place, place + 0.5) for place, word in enumerate(text.split()))
