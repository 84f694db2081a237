"""Call scripts as data, and the segments that a right transcript of them would give."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from app.schemas.speaker import Role
from app.schemas.transcript import Segment, Word
from app.services.roles_service import RoleHints, assign_roles

CALLS = Path(__file__).parent / "calls"
_WORD_S = 0.4


@dataclass(frozen=True)
class Script:
    """``turns``: who speaks (``A`` the agent, ``C`` the customer) and what."""

    name: str
    industry: str
    direction: str
    turns: tuple[tuple[str, str], ...]
    language: str = "en"

    @property
    def segments(self) -> tuple[Segment, ...]:
        return segments_of(self.turns)

    @property
    def truth(self) -> dict[str, Role]:
        roles = {"A": Role.AGENT, "C": Role.CUSTOMER}
        return {id_: roles[who] for who, id_ in ids_of(self.turns).items()}


def read_scripts(half: str) -> list[Script]:
    stored = yaml.safe_load((CALLS / f"{half}.yaml").read_text(encoding="utf-8"))
    return [
        Script(
            call["name"],
            call["industry"],
            call["direction"],
            tuple((line[0], line[3:]) for line in call["turns"].splitlines()),
            call.get("language", "en"),
        )
        for call in stored
    ]


def ids_of(turns: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """``speaker_0`` is whoever speaks first."""
    return {who: f"speaker_{at}" for at, who in enumerate(dict.fromkeys(who for who, _ in turns))}


def segments_of(
    turns: tuple[tuple[str, str], ...], channels: dict[str, int] | None = None
) -> tuple[Segment, ...]:
    ids = ids_of(turns)
    segments: list[Segment] = []
    now = 0.0
    for index, (who, text) in enumerate(turns):
        words = []
        for said in text.split():
            channel = None if channels is None else channels[who]
            words.append(Word(said, round(now, 2), round(now + _WORD_S, 2), channel=channel))
            now += _WORD_S
        segments.append(Segment(index, ids[who], tuple(words)))
    return tuple(segments)


def is_right(script: Script) -> bool:
    """Whether the roles come out right from words alone."""
    speakers = assign_roles(script.segments, {}, RoleHints(language=script.language))
    return {speaker.id: speaker.role for speaker in speakers} == script.truth
