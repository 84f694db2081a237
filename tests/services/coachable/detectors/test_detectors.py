"""Each signal in time at its thresholds."""

from __future__ import annotations

import pytest

from app.schemas.metrics import Metrics
from app.schemas.speaker import Role
from app.services.coachable.detectors.base import Detector
from app.services.coachable.detectors.dead_air import DeadAir
from app.services.coachable.detectors.fast_pace import FastPace
from app.services.coachable.detectors.interruption import Interruption
from app.services.coachable.detectors.monologue import Monologue
from app.services.coachable.detectors.slow_response import SlowResponse
from app.services.metrics_service import measure
from tests.services.metrics.factories import AGENT, CUSTOMER, ROLES, THIRD, Line, conversation, plain


def metrics(*lines: Line, duration_s: float = 300, roles: dict[str, Role] | None = None) -> Metrics:
    return measure(conversation(*lines, duration_s=duration_s, roles=roles))


def spans(detector: Detector, measured: Metrics) -> list[tuple[str | None, float, float]]:
    return [(each.speaker, each.start_s, each.end_s) for each in detector.find(measured)]


@pytest.mark.parametrize(("end_s", "found"), [(90.0, []), (90.1, [(AGENT, 0.0, 90.1)])])
def test_a_monologue_is_longer_than_its_threshold(end_s: float, found: list[object]) -> None:
    assert spans(Monologue(), metrics(Line(AGENT, 0, end_s, plain(200)))) == found


@pytest.mark.parametrize(
    ("under_s", "held"),
    [
        (2.0, [(AGENT, 0.0, 100.0)]),
        (1.6, [(AGENT, 0.0, 100.0)]),
        (1.5, [(AGENT, 0.0, 40.0), (AGENT, 42.0, 100.0)]),
    ],
)
def test_what_counts_as_interjection_is_the_playbooks(under_s: float, held: list[object]) -> None:
    measured = metrics(
        Line(AGENT, 0, 40, plain(80)),
        Line(CUSTOMER, 40.2, 41.7, "I see it now"),
        Line(AGENT, 42, 100, plain(80)),
    )
    detector = Monologue(longer_than_s=30, interjection_under_s=under_s)
    assert spans(detector, measured) == held


def test_who_interrupts_two_does_so_once() -> None:
    measured = metrics(
        Line(AGENT, 0, 4, plain(8)), Line(CUSTOMER, 1, 4.5, plain(8)), Line(THIRD, 3, 8, plain(8))
    )
    assert spans(Interruption(), measured) == [(THIRD, 3.0, 4.5)]
    assert spans(Interruption(overlap_at_least_s=1.6), measured) == []
    assert [each.reliable for each in Interruption().find(measured)] == [True]


def test_talking_on_is_no_interruption() -> None:
    assert spans(Interruption(), metrics(Line(AGENT, 0, 9, plain(20)), Line(CUSTOMER, 3, 8, plain(8)))) == []


@pytest.mark.parametrize(("again_s", "found"), [(6.9, []), (7.0, [(None, 2.0, 7.0)])])
def test_dead_air_lasts_as_long_as_its_threshold(again_s: float, found: list[object]) -> None:
    measured = metrics(Line(AGENT, 0, 2, "a"), Line(AGENT, again_s, 10, "b"), duration_s=10)
    assert spans(DeadAir(), measured) == found


def test_silence_around_the_call_is_no_dead_air() -> None:
    assert spans(DeadAir(), metrics(Line(AGENT, 50, 52, "Hello"))) == []
    assert spans(DeadAir(), metrics()) == []
    assert spans(DeadAir(at_least_s=3), metrics(Line(AGENT, 0, 1, "a"), Line(AGENT, 4, 5, "b"))) == [
        (None, 1, 4)
    ]


@pytest.mark.parametrize(
    ("words", "seconds", "found"),
    [
        (51, 15.0, [(AGENT, 10.0, 25.0)]),  # 204 a minute
        (50, 15.0, []),  # 200
        (60, 14.9, []),  # too short
        (200, 40.0, [(AGENT, 10.0, 50.0)]),
    ],
)
def test_fast_is_over_200_words_a_minute_for_15_seconds(
    words: int, seconds: float, found: list[object]
) -> None:
    assert spans(FastPace(), metrics(Line(AGENT, 10, 10 + seconds, plain(words)))) == found


def test_pauses_are_no_part_of_pace() -> None:
    measured = metrics(Line(CUSTOMER, 0, 8, plain(30)), Line(CUSTOMER, 12, 20, plain(30)))
    assert spans(FastPace(), measured) == [(CUSTOMER, 0.0, 20.0)]  # 60 words in 16 s
    assert spans(FastPace(at_least_s=17), measured) == []
    assert spans(FastPace(over_words_per_minute=240), measured) == []


def test_a_fast_stretch_within_ordinary_talk() -> None:
    measured = metrics(
        Line(AGENT, 0, 30, plain(60)), Line(AGENT, 30, 50, plain(90)), Line(AGENT, 50, 90, plain(80))
    )
    ((speaker, start_s, end_s),) = spans(FastPace(), measured)
    assert speaker == AGENT
    assert start_s == pytest.approx(30, abs=6)
    assert end_s == pytest.approx(50, abs=6)


ASKED = Line(CUSTOMER, 0, 3, "So, how long does it take?")


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([ASKED, Line(AGENT, 6, 9, "Two weeks.")], []),
        ([ASKED, Line(AGENT, 6.1, 9, "Two weeks.")], [(AGENT, 3.0, 6.1)]),
        ([ASKED, Line(AGENT, 2.5, 9, "Two weeks.")], []),  # answered before the end
        ([ASKED], []),  # never answered
        ([Line(CUSTOMER, 0, 3, "It takes long."), Line(AGENT, 9, 10, "Yes it does")], []),
        # The customer prompts for a second; 4 s were waited all the same.
        ([ASKED, Line(CUSTOMER, 6, 7, "Anybody there"), Line(AGENT, 8, 9, "Yes.")], [(AGENT, 3.0, 8.0)]),
        # The customer goes on for 5 s; the question is past.
        ([ASKED, Line(CUSTOMER, 3.2, 8, plain(9)), Line(AGENT, 12, 13, "Yes.")], []),
        # Of two questions the second counts: 2 s.
        ([ASKED, Line(CUSTOMER, 4, 5, "Is it long?"), Line(AGENT, 7, 8, "Yes.")], []),
        # Another customer answers.
        ([ASKED, Line(THIRD, 8, 9, "Two weeks"), Line(AGENT, 15, 16, "Yes.")], []),
        # The agent asks.
        ([Line(AGENT, 0, 3, "How are you?"), Line(CUSTOMER, 9, 10, "Fine thanks")], [(CUSTOMER, 3.0, 9.0)]),
    ],
)
def test_slow_is_over_three_seconds_after_a_question(lines: list[Line], found: list[object]) -> None:
    assert spans(SlowResponse(), metrics(*lines)) == found


def test_sides_are_not_guessed_for_half_a_call() -> None:
    lines = (ASKED, Line(AGENT, 9, 12, "Two weeks."))
    assert spans(SlowResponse(), metrics(*lines, roles={})) == [(AGENT, 3.0, 9.0)]
    assert spans(SlowResponse(), metrics(*lines, roles={AGENT: ROLES[AGENT]})) == []
