"""Roles from words alone, on whole calls: scripts of our own, and a real call with a human transcript."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace

import pytest

from app.schemas.speaker import Role, RoleSource
from app.services.roles_service import RoleHints, assign_roles
from tests.services.audio.recordings import SHARED
from tests.services.roles.scripts import Script, is_right, read_scripts, segments_of

HALVES = ("before", "between", "after")


@pytest.mark.parametrize("half", HALVES)
def test_roles_are_right_in_nine_of_ten_calls(half: str) -> None:
    scripts = read_scripts(half)
    assert len(scripts) == 10
    wrong = [script.name for script in scripts if not is_right(script)]
    assert len(wrong) <= 1, wrong


@pytest.mark.parametrize("half", HALVES)
def test_they_are_as_right_without_case_and_punctuation(half: str) -> None:
    wrong = [script.name for script in read_scripts(half) if not is_right(bare(script))]
    assert len(wrong) <= 1, wrong


@pytest.mark.parametrize("script", read_scripts("other_languages"), ids=lambda script: script.name)
def test_roles_in_other_languages(script: Script) -> None:
    assert is_right(script)
    assert is_right(bare(script))


@pytest.mark.parametrize("half", HALVES)
def test_the_first_two_thirds_of_a_call_tell_its_roles_too(half: str) -> None:
    cut = [replace(script, turns=script.turns[: len(script.turns) * 2 // 3]) for script in read_scripts(half)]
    assert sum(map(is_right, cut)) >= 9


def test_a_surer_verdict_is_more_often_right() -> None:
    """Of the first three turns alone, which often say little."""
    verdicts = []
    for script in (script for half in HALVES for script in read_scripts(half)):
        speakers = assign_roles(segments_of(script.turns[:3]), {}, RoleHints(language="en"))
        truth = script.truth
        verdicts.append((speakers[0].role_confidence, speakers[0].role is truth[speakers[0].id]))
    sure = [right for confidence, right in verdicts if confidence >= 0.85]
    unsure = [right for confidence, right in verdicts if confidence < 0.85]
    assert len(sure) >= 10 and len(unsure) >= 5
    assert sum(sure) / len(sure) >= 0.9
    assert sum(sure) / len(sure) >= sum(unsure) / len(unsure)


@pytest.mark.skipif(not (SHARED / "manifest.json").is_file(), reason="the shared recordings are not here")
def test_a_recorded_call_with_a_human_transcript() -> None:
    recordings = {entry["file"]: entry for entry in json.loads((SHARED / "manifest.json").read_text())}
    truth = {"CSR": "A", "Customer": "C"}
    turns = tuple(
        (truth[segment["speaker"]], segment["text"])
        for segment in recordings["callytics_Call01.wav"]["segments"]
    )
    speakers = assign_roles(segments_of(turns), {}, RoleHints(language="en"))
    assert [speaker.role for speaker in speakers] == [Role.AGENT, Role.CUSTOMER]
    assert {speaker.role_source for speaker in speakers} == {RoleSource.WORDS}


def bare(script: Script) -> Script:
    """As a plain recogniser writes it."""
    return replace(script, turns=tuple((who, _bare(text)) for who, text in script.turns))


def _bare(text: str) -> str:
    kept = (
        letter if letter == "'" or not unicodedata.category(letter).startswith("P") else " "
        for letter in text.lower().replace("’", "'")
    )
    return " ".join("".join(kept).split())
