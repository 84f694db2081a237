"""The labelled talk keeps its shares and its variety, and the development split is other talk."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from app.schemas.moment import MomentType, ObjectionSubtype

ROOT = Path(__file__).resolve().parents[2] / "training" / "moments"
LANGUAGES = ("es", "fr", "de", "hi", "pt")
KINDS = {
    *(type_.value for type_ in MomentType if type_ is not MomentType.OBJECTION),
    *(f"objection/{subtype.value}" for subtype in ObjectionSubtype),
}


def read(*names: str) -> list[dict[str, Any]]:
    files = [(ROOT / name).with_suffix(".jsonl") for name in names]
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def english() -> list[dict[str, Any]]:
    return read(*(f"talk/en_{part}" for part in "abcde"))


def grams(line: dict[str, Any], size: int) -> set[tuple[str, ...]]:
    words = re.findall(r"[^\W_]+(?:['’][^\W_]+)*", line["text"].lower())
    return {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}


def test_every_line_is_whole_and_uses_the_vocabulary(english: list[dict[str, Any]]) -> None:
    others = [f"{place}/{language}" for place in ("talk", "dev") for language in LANGUAGES]
    for line in [*english, *read("dev/en", *others)]:
        assert line["text"].strip(), line
        assert set(line["moments"]) <= KINDS, line
        assert line["role"] in ("agent", "customer", "unknown")
        assert line["sentiment"] in ("POSITIVE", "NEUTRAL", "NEGATIVE")
        assert line["style"] in ("written", "raw")
        assert line["before"] is None or set(line["before"]) == {"role", "text"}
        if "objection/competitor" in line["moments"]:
            assert "competitor_mention" in line["moments"], line


def test_there_is_enough_of_everything(english: list[dict[str, Any]]) -> None:
    count = len(english)
    kinds = Counter(kind.split("/")[0] for line in english for kind in set(line["moments"]))
    subtypes = Counter(kind for line in english for kind in line["moments"] if kind.startswith("objection/"))
    assert count >= 3000
    assert min(kinds[type_.value] for type_ in MomentType) >= 60
    assert min(subtypes[f"objection/{subtype.value}"] for subtype in ObjectionSubtype) >= 30
    assert sum(not line["moments"] for line in english) >= 0.45 * count
    assert sum(line["style"] == "raw" for line in english) >= count / 3 - 10
    assert len({line["industry"] for line in english}) >= 12
    assert sum(line["before"] is None or line["role"] == "unknown" for line in english) >= 0.32 * count
    assert all(len(read(f"talk/{language}")) >= 150 for language in LANGUAGES)


def test_no_two_lines_are_alike_and_no_phrase_stands_everywhere(english: list[dict[str, Any]]) -> None:
    trigrams = [grams(line, 3) for line in english]
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, own in enumerate(trigrams):
        shared = Counter(other for gram in own for other in places[gram])
        for other, common in shared.items():
            assert common <= 0.6 * min(len(own), len(trigrams[other])), (english[number], english[other])
        for gram in own:
            places[gram].append(number)
    phrases = Counter(gram for line in english for gram in grams(line, 5))
    assert max(phrases.values()) <= 0.01 * len(english)


def test_the_development_split_is_of_other_industries(english: list[dict[str, Any]]) -> None:
    development = read("dev/en")
    assert {line["industry"] for line in english}.isdisjoint(line["industry"] for line in development)
    known = {line["text"] for line in english}
    assert not [line for line in development if line["text"] in known]
