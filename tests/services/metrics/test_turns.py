"""Turns and switches at their limits: 3 s, three words, one second, words of others."""

from __future__ import annotations

import pytest

from app.services.metrics_service import measure
from tests.services.metrics.factories import AGENT, CUSTOMER, Line, conversation, plain


def turns(*lines: Line, language: str = "en") -> list[tuple[str, float, float]]:
    metrics = measure(conversation(*lines, duration_s=60, language=language))
    return [(turn.speaker, turn.start_s, turn.end_s) for turn in metrics.turns]


@pytest.mark.parametrize(("again_s", "count"), [(6.99, 1), (7.0, 2)])
def test_a_pause_of_three_seconds_ends_a_turn(again_s: float, count: int) -> None:
    assert len(turns(Line(AGENT, 0, 4, plain(4)), Line(AGENT, again_s, 10, plain(4)))) == count


@pytest.mark.parametrize(
    ("text", "end_s", "breaks"),
    [
        ("Yeah.", 4.9, False),
        ("Yeah, okay, right.", 6.3, False),  # three words, however long
        ("yeah okay right sure", 5.2, False),  # four within a second
        ("yeah okay right sure", 5.3, True),
        ("Uh-huh, got it.", 6.3, False),
        ("No.", 4.4, True),
        ("I think", 4.4, True),
    ],
)
def test_what_a_listener_says_breaks_no_turn(text: str, end_s: float, breaks: bool) -> None:
    found = turns(
        Line(AGENT, 0, 4, plain(4)), Line(CUSTOMER, 4.2, end_s, text), Line(AGENT, 6.5, 9, plain(4))
    )
    assert found == (
        [(AGENT, 0.0, 4.0), (CUSTOMER, 4.2, end_s), (AGENT, 6.5, 9.0)] if breaks else [(AGENT, 0.0, 9.0)]
    )


def test_a_turn_may_begin_with_a_word_of_the_list() -> None:
    lines = (Line(AGENT, 0, 4, plain(4)), Line(CUSTOMER, 5, 5.4, "Yeah."), Line(CUSTOMER, 6, 9, plain(6)))
    assert turns(*lines) == [(AGENT, 0.0, 4.0), (CUSTOMER, 5.0, 9.0)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "Sí, claro."),
        ("fr", "Ah oui, d'accord."),
        ("de", "Ach so, genau."),
        ("pt", "Tá bom."),
        ("hi", "ठीक है।"),
    ],
)
def test_listeners_in_other_languages(language: str, text: str) -> None:
    lines = (Line(AGENT, 0, 4, plain(4)), Line(CUSTOMER, 4.2, 5, text), Line(AGENT, 5.5, 9, plain(4)))
    assert turns(*lines, language=language) == [(AGENT, 0.0, 9.0)]
    assert len(turns(*lines, language="nl")) == 3


@pytest.mark.parametrize(
    ("second_s", "agent_end_s", "kind"),
    [
        (1.0, 2.0, "interruption"),
        (0.4, 2.0, "overtalk"),  # the agent had spoken for 0.4 s
        (1.0, 1.2, "overtalk"),  # both speak for 0.2 s
        (1.0, 3.1, "overtalk"),  # the agent goes on for 2.1 s
        (1.0, 3.0, "interruption"),
    ],
)
def test_what_makes_an_interruption(second_s: float, agent_end_s: float, kind: str) -> None:
    lines = (Line(AGENT, 0, agent_end_s, plain(8)), Line(CUSTOMER, second_s, 6, plain(9)))
    (found,) = measure(conversation(*lines, duration_s=10)).interruptions
    assert (found.kind, found.speaker, found.over, found.segment) == (kind, CUSTOMER, AGENT, 1)
    assert found.length_s == pytest.approx(agent_end_s - second_s)


def test_starting_together_interrupts_nobody() -> None:
    lines = (Line(AGENT, 1, 2, plain(2)), Line(CUSTOMER, 1, 6, plain(9)))
    assert measure(conversation(*lines, duration_s=10)).interruptions == ()


def test_ending_a_back_channel_is_no_interruption_of_it() -> None:
    lines = (Line(AGENT, 0, 4, plain(4)), Line(CUSTOMER, 5, 6, "mm-hm"), Line(AGENT, 5.6, 9, plain(4)))
    assert measure(conversation(*lines, duration_s=10)).interruptions == ()
