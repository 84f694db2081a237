"""Cues: speech acts that tell an agent from a customer, as data, one file for each language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from app.services.roles.phrases import Pattern, ends_of, openers, read_phrase, words_of

FOLDER = Path(__file__).parent / "languages"
DEFAULT_LANGUAGE = "en"
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Act(BaseModel):
    """One speech act.

    ``weight``: how much hearing it once speaks for ``role``, in log odds before they are tempered.
    ``place``: ``opening`` is a speaker's first two turns, ``whole`` one of these that consists of it.
    ``unless_next``: it does not count before one of these words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    act: StrictStr
    role: Literal["agent", "customer"]
    weight: Annotated[float, Field(gt=0, le=5)]
    place: Literal["anywhere", "opening", "whole"] = "anywhere"
    unless_next: tuple[StrictStr, ...] = ()
    phrases: Annotated[tuple[StrictStr, ...], Field(min_length=1)]


class CueFile(BaseModel):
    """What one file holds; a family may use those above it.

    ``you``, ``me``: words for whoever listens and for whoever speaks.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: StrictStr
    families: dict[str, tuple[StrictStr, ...]] = {}
    you: tuple[StrictStr, ...]
    me: tuple[StrictStr, ...]
    acts: Annotated[tuple[Act, ...], Field(min_length=1)]


@dataclass(frozen=True, eq=False)
class Cues:
    """The acts of one file, ready to be listened for."""

    acts: tuple[Act, ...]
    patterns: tuple[tuple[Act, Pattern], ...]
    you: frozenset[str]
    me: frozenset[str]

    @cached_property
    def _by_opener(self) -> dict[str, list[tuple[Act, Pattern]]]:
        index: dict[str, list[tuple[Act, Pattern]]] = {}
        for act, pattern in self.patterns:
            for word in openers(pattern) or ():
                index.setdefault(word, []).append((act, pattern))
        return index

    @cached_property
    def _others(self) -> list[tuple[Act, Pattern]]:
        return [(act, pattern) for act, pattern in self.patterns if openers(pattern) is None]

    def heard(self, words: Sequence[str], opening: bool) -> list[Act]:
        """The acts in one turn, each once, in order of the file; ``opening``: it is one of the first two."""
        found: set[str] = set()
        for place, word in enumerate(words):
            for act, pattern in (*self._by_opener.get(word, ()), *self._others):
                if act.act not in found and (opening or act.place == "anywhere"):
                    ends = ends_of(pattern, words, place)
                    if ends and _counts(act, words, place, max(ends)):
                        found.add(act.act)
        return [act for act in self.acts if act.act in found]


def _counts(act: Act, words: Sequence[str], start: int, end: int) -> bool:
    if act.place == "whole" and (start > 0 or end < len(words)):
        return False
    return end >= len(words) or words[end] not in act.unless_next


@lru_cache(maxsize=16)
def cues_of(language: str) -> Cues | None:
    """The cues of an ISO 639-1 ``language``; None where there is no file."""
    path = FOLDER / f"{language}.yaml"
    return parse_cues(path.read_text(encoding="utf-8")) if path.is_file() else None


def parse_cues(text: str) -> Cues:
    """Cues out of YAML. Raises ValueError where it is broken."""
    cue_file = CueFile.model_validate(yaml.load(text, Loader=_YAML))  # noqa: S506  # a safe loader, in C
    families: dict[str, Pattern] = {}
    for name, phrases in cue_file.families.items():
        families[name] = read_phrase(f"({'|'.join(phrases)})", families)
    patterns = tuple((act, read_phrase(phrase, families)) for act in cue_file.acts for phrase in act.phrases)
    you, me = (frozenset(words_of(" ".join(words))) for words in (cue_file.you, cue_file.me))
    return Cues(cue_file.acts, patterns, you, me)


def languages() -> tuple[str, ...]:
    """Languages that there are cues for."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))
