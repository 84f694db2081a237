"""How well the built-in playbook reads labelled utterances; the floors lie just under what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from app.schemas.moment import MomentType, ObjectionSubtype
from tests.services.coachable.factories import built_in_service, segment

UTTERANCES: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "utterances.yaml").read_text(encoding="utf-8")
)


def score(utterances: list[dict[str, Any]], *, roles_known: bool) -> tuple[float, float, float]:
    """Precision, recall and F1 over all labels. Where roles are not known, only coachable ones count."""
    service = built_in_service()
    right = wrong = missed = 0
    for utterance in utterances:
        said = segment(utterance["text"], utterance["role"] if roles_known else "unknown")
        found = {
            f"{moment.type}/{moment.subtype}" if moment.subtype else moment.type
            for moment in service.find("c", [said], None)
            if roles_known or service.judge([moment])[0]
        }
        expected = set(utterance["expect"])
        right += len(found & expected)
        wrong += len(found - expected)
        missed += len(expected - found)
    precision, recall = right / (right + wrong), right / (right + missed)
    return precision, recall, 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(
    ("part", "roles_known", "precision", "recall", "f1"),
    [
        ("development", True, 0.97, 0.98, 0.98),
        ("development", False, 0.94, 0.97, 0.96),
        ("held_out", True, 0.91, 0.78, 0.84),
        ("held_out", False, 0.89, 0.75, 0.82),
        ("plain", True, 0.99, 0.99, 0.99),
        ("plain", False, 0.92, 0.90, 0.92),
    ],
)
def test_utterances_are_read_as_well_as_they_were(
    part: str, roles_known: bool, precision: float, recall: float, f1: float
) -> None:
    reached = score(UTTERANCES[part], roles_known=roles_known)
    assert all(value >= floor for value, floor in zip(reached, (precision, recall, f1), strict=True)), reached


HALVES = ("development", "held_out")


@pytest.mark.parametrize("half", HALVES)
def test_the_utterances_are_a_fair_mix(half: str) -> None:
    utterances = UTTERANCES[half]
    kinds = {kind for utterance in utterances for kind in utterance["expect"]}
    assert kinds == {*MomentType, *(f"objection/{subtype}" for subtype in ObjectionSubtype)} - {"objection"}
    assert sum(not utterance["expect"] for utterance in utterances) >= 0.4 * len(utterances)
    raw = [text for text in (utterance["text"] for utterance in utterances) if text.islower()]
    assert sum(text[-1].isalnum() for text in raw) >= 0.28 * len(utterances)


def test_no_utterance_is_in_both_halves() -> None:
    texts = [utterance["text"] for half in HALVES for utterance in UTTERANCES[half]]
    assert len(texts) == len(set(texts))
