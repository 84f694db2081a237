"""The cue files: all can be read, none is lopsided, and an act is heard where its place says."""

from __future__ import annotations

import pytest

from app.services.roles.cues import cues_of, languages, parse_cues
from app.services.roles.phrases import words_of


def heard(text: str, turn: str, opening: bool = True) -> list[str]:
    return [act.act for act in parse_cues(text).heard(words_of(turn), opening)]


def acts(*lines: str) -> str:
    return "\n".join(["language: en", "you: [you]", "me: [me]", "acts:", *(f"  - {line}" for line in lines)])


def test_there_are_cues_for_the_promised_languages() -> None:
    assert set(languages()) >= {"en", "es", "fr", "de", "pt", "hi"}
    assert cues_of("xx") is None


@pytest.mark.parametrize("language", languages())
def test_each_language_has_cues_for_both_roles_under_the_same_names(language: str) -> None:
    cues, english = cues_of(language), cues_of("en")
    assert cues is not None and english is not None
    assert cues.you and cues.me and not cues.you & cues.me
    names = [act.act for act in cues.acts]
    assert len(names) == len(set(names))
    roles = {act.act: act.role for act in english.acts}
    assert all(roles[act.act] == act.role for act in cues.acts)
    assert sum(act.role == "customer" for act in cues.acts) >= 5
    assert sum(act.role == "agent" for act in cues.acts) >= 5


def test_an_act_is_heard_once_a_turn() -> None:
    text = acts("{act: offers, role: agent, weight: 1, phrases: [we offer, we can offer]}")
    assert heard(text, "we offer this and we can offer that") == ["offers"]
    assert heard(text, "we accept") == []


def test_opening_acts_count_in_the_opening_only() -> None:
    text = acts("{act: greets, role: agent, weight: 1, place: opening, phrases: [welcome to]}")
    assert heard(text, "hello and welcome to acme", opening=True) == ["greets"]
    assert heard(text, "hello and welcome to acme", opening=False) == []


def test_whole_acts_are_all_that_is_said() -> None:
    text = acts("{act: answers, role: customer, weight: 1, place: whole, phrases: ['(hello|yes hello)']}")
    assert heard(text, "Hello?") == heard(text, "Yes, hello!") == ["answers"]
    assert heard(text, "Hello, Acme Plumbing") == heard(text, "oh hello") == []
    assert heard(text, "Hello?", opening=False) == []


def test_the_word_after_may_take_it_back() -> None:
    text = acts("{act: owns, role: customer, weight: 1, unless_next: [pleasure], phrases: ['my [own]']}")
    assert heard(text, "my car") == ["owns"]
    assert heard(text, "my pleasure") == []


@pytest.mark.parametrize(
    "broken",
    [
        acts("{act: a, role: boss, weight: 1, phrases: [x]}"),
        acts("{act: a, role: agent, weight: 0, phrases: [x]}"),
        acts("{act: a, role: agent, weight: 1, phrases: []}"),
        acts("{act: a, role: agent, weight: 1, phrases: [no]}"),
        acts("{act: a, role: agent, weight: 1, phrases: ['(x']}"),
        acts("{act: a, role: agent, weight: 1, phrases: [x], colour: red}"),
        "language: en",
    ],
)
def test_a_broken_file_is_refused(broken: str) -> None:
    with pytest.raises(ValueError):
        parse_cues(broken)
