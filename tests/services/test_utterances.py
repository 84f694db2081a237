"""The turn before each segment."""

from __future__ import annotations

from dataclasses import replace

from app.schemas.transcript import Segment
from app.schemas.utterance import Before, Utterance
from app.services.utterances import MOST_BEFORE_CHARS, utterances_of
from tests.analyses import spoken


def say(index: int, speaker: str, text: str) -> Segment:
    roles = {"speaker_0": "agent", "speaker_1": "customer"}
    return replace(spoken(text, 10.0 * index, index, speaker), role=roles.get(speaker, "unknown"))


def test_before_is_the_last_turn_of_somebody_else_with_all_of_its_segments() -> None:
    found = utterances_of(
        [
            say(0, "speaker_0", "so the price is nine"),
            say(1, "speaker_0", "hundred a month"),
            say(2, "speaker_1", "well"),
            say(3, "speaker_1", "that is a lot"),
            say(4, "speaker_2", "it is"),
            say(5, "speaker_0", "i see"),
        ]
    )
    offer = Before("agent", "so the price is nine hundred a month")
    assert found == (
        Utterance("so the price is nine", "agent", None),
        Utterance("hundred a month", "agent", None),
        Utterance("well", "customer", offer),
        Utterance("that is a lot", "customer", offer),
        Utterance("it is", "unknown", Before("customer", "well that is a lot")),
        Utterance("i see", "agent", Before("unknown", "it is")),
    )


def test_of_a_long_turn_the_end_is_kept() -> None:
    *_, last = utterances_of([say(0, "speaker_0", "very long " * 200 + "end"), say(1, "speaker_1", "what")])
    assert last.before is not None
    assert len(last.before.text) == MOST_BEFORE_CHARS
    assert last.before.text.endswith("long end")


def test_nobody_says_anything() -> None:
    assert utterances_of([]) == ()
