"""What speakers are called in what people read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from app.core.readable import is_readable
from app.schemas.speaker import Role, Speaker

_TITLES = {Role.AGENT: "Agent", Role.CUSTOMER: "Customer"}


def speaker_labels(speakers: Sequence[Speaker]) -> dict[str, str]:
    """For each speaker id a name: its own, else its role (numbered where several share it), else the id."""
    nameless = [
        speaker for speaker in speakers if not one_line(speaker.name or "") and speaker.role in _TITLES
    ]
    holders = Counter(speaker.role for speaker in nameless)
    labels: dict[str, str] = {}
    numbers: Counter[Role] = Counter()
    for speaker in speakers:
        label = one_line(speaker.name or "") or speaker.id
        if speaker in nameless:
            numbers[speaker.role] += 1
            number = f" {numbers[speaker.role]}" if holders[speaker.role] > 1 else ""
            label = _TITLES[speaker.role] + number
        labels[speaker.id] = label
    return labels


def one_line(text: str) -> str:
    """``text`` with every run of white space and control characters as one space."""
    return " ".join("".join(sign if is_readable(sign) else " " for sign in text).split())
