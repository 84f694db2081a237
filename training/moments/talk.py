"""Labelled talk as training reads it: lines of the files beside this one, and what they are labelled with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.schemas.moment import MomentType, ObjectionSubtype, may_be_said_by
from app.schemas.sentiment import SentimentLabel
from app.schemas.utterance import Before, Utterance

FOLDER = Path(__file__).parent
ENGLISH = tuple(f"talk/en_{part}" for part in "abcde")
OTHER_LANGUAGES = ("es", "fr", "de", "hi", "pt")
FOLDS = (("talk/en_a",), ("talk/en_b", "talk/en_c"), ("talk/en_d", "talk/en_e"))
"""Files held out together: each fold is talk of other industries and, but for chance, other authors."""

TYPES = tuple(type_.value for type_ in MomentType)
SUBTYPES = tuple(subtype.value for subtype in ObjectionSubtype)
SENTIMENTS = (SentimentLabel.POSITIVE.value, SentimentLabel.NEUTRAL.value, SentimentLabel.NEGATIVE.value)

UNJUDGED = -100
"""What a loss over classes passes over."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    """One labelled segment. ``kinds``: types, an objection's with its subtype (`objection/price`).

    ``sentiment`` is None where nobody judged it, ``language`` where it is English.
    """

    utterance: Utterance
    kinds: tuple[str, ...]
    sentiment: str | None
    style: str
    language: str | None = None

    @property
    def types(self) -> set[str]:
        return {kind.partition("/")[0] for kind in self.kinds}

    @property
    def subtypes(self) -> set[str]:
        return {kind.partition("/")[2] for kind in self.kinds if "/" in kind}


@dataclass(frozen=True)
class Labels:
    """What lines are labelled with: ``types`` (lines, 14) and ``subtypes`` (lines, 8) of 0 and 1, and the
    place of each sentiment in ``SENTIMENTS``, ``UNJUDGED`` where there is none."""

    types: Floats
    subtypes: Floats
    sentiments: NDArray[np.int64]


def read(names: Iterable[str]) -> list[Line]:
    """The lines of the files ``names`` ("talk/en_a"), in order."""
    return [line for name in names for line in read_file((FOLDER / name).with_suffix(".jsonl"))]


def read_file(path: Path) -> list[Line]:
    return [_line(json.loads(text)) for text in path.read_text(encoding="utf-8").splitlines() if text.strip()]


def _line(data: dict[str, Any]) -> Line:
    before = data.get("before")
    return Line(
        Utterance(data["text"], data["role"], Before(before["role"], before["text"]) if before else None),
        tuple(data["moments"]),
        data["sentiment"],
        data["style"],
        data.get("language"),
    )


def labels_of(lines: Sequence[Line]) -> Labels:
    return Labels(
        np.array([[name in line.types for name in TYPES] for line in lines], dtype=np.float32),
        np.array([[name in line.subtypes for name in SUBTYPES] for line in lines], dtype=np.float32),
        np.array([_place_of(line.sentiment) for line in lines], dtype=np.int64),
    )


def _place_of(sentiment: str | None) -> int:
    return UNJUDGED if sentiment is None else SENTIMENTS.index(sentiment)


def sayable(lines: Sequence[Line]) -> Floats:
    """(lines, 14): 1 where somebody in that role could show the type, else 0."""
    rows = [[may_be_said_by(line.utterance.role, name) for name in TYPES] for line in lines]
    return np.array(rows, dtype=np.float32)
