"""Questions by mark and by grammar, in the languages with word lists; tags and back-channels are none."""

from __future__ import annotations

import pytest

from app.schemas.metrics import Question
from app.schemas.transcript import Segment, Word
from app.services.metrics.questions import find_questions
from app.services.metrics.vocabulary import vocabulary_of
from tests.services.metrics.factories import AGENT, CUSTOMER, words

DURATION = 100_000


def questions(text: str, language: str | None = "en") -> list[str]:
    """The words of each question in ``text``."""
    said = words(text, 0, 10)
    found = find_questions([Segment(0, AGENT, said)], vocabulary_of(language), DURATION)
    return [" ".join(word.text for word in said[each.first_word : each.last_word + 1]) for each in found]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("We sell it. What is your budget? Fine.", ["What is your budget?"]),
        ("The blue one?", ["The blue one?"]),
        ("So, and how would that work.", ["So, and how would that work."]),
        ("Which plan do you have.", ["Which plan do you have."]),
        ("What kind of team are you.", ["What kind of team are you."]),
        ("Don't you want it?", ["Don't you want it?"]),
        ("What's the price.", ["What's the price."]),
        ("Right?", []),
        ("Okay? Yeah?", []),
        ("You have ten seats, right?", []),
        ("You have ten seats, don't you?", []),
        ("Is that what you meant, right?", ["Is that what you meant, right?"]),
        ("Is that right?", ["Is that right?"]),
        ("What we do is sell.", []),
        ("Have a nice day.", []),
        ("Do the math.", []),
        ("Which is great.", []),
        ("Should you have any trouble, call me.", []),
        ("How nice!", []),
        ("I know what your budget is", []),
        ("what is your budget", ["what is your budget"]),
        ("that is plenty so what would you say is right", ["what would you say is right"]),
        ("what do you need and when can we start then", ["what do you need and", "when can we start then"]),
        ("we have it can you tell me more", []),
        ("if you could you would", []),
        ("the price can you tell me it", ["can you tell me it"]),
        ("...", []),
    ],
)
def test_english(text: str, asked: list[str]) -> None:
    assert questions(text) == asked


@pytest.mark.parametrize(
    ("language", "asked", "told"),
    [
        ("es", "Y cuánto cuesta al mes.", "Cuanto antes, mejor."),
        ("fr", "Est-ce que vous avez un budget.", "C'est bien, hein?"),
        ("fr", "Avez-vous le temps.", "Vous avez le temps."),
        ("de", "Wie viele Leute arbeiten da.", "Sie haben zehn Plätze, oder?"),
        ("de", "Können Sie mir das schicken.", "Sie können mir das schicken."),
        ("pt", "Qual é o preço.", "Você quer dez, né?"),
        ("hi", "इसका दाम कितना है।", "ठीक है?"),
    ],
)
def test_other_languages(language: str, asked: str, told: str) -> None:
    assert questions(asked, language) == [asked]
    assert questions(told, language) == []


def test_without_lists_the_mark_alone_tells() -> None:
    assert questions("Hoe gaat het? Wat is dat.", "nl") == ["Hoe gaat het?"]
    assert questions("你好吗？", None) == ["你好吗？"]


def test_a_mark_may_be_a_word_of_its_own_or_stand_within_quotes() -> None:
    said = (*words("He asked “what now”", 0, 2), Word("?", 2, 2, space_before=False), *words("Fine.", 3, 4))
    (found,) = find_questions([Segment(0, AGENT, said)], vocabulary_of("en"), DURATION)
    assert (found.first_word, found.last_word, found.end_s) == (0, 4, 2.0)
    assert questions("“What now?” he said.") == ["“What now?”"]


def test_a_question_that_pauses_is_one() -> None:
    segments = [
        Segment(4, AGENT, words("What would you", 0, 1)),
        Segment(5, AGENT, words("say is your budget? Is it big?", 2, 4)),
        Segment(6, CUSTOMER, words("what is big?", 5, 6)),
    ]
    found = find_questions(segments, vocabulary_of("en"), DURATION)
    assert [(each.segment, each.last_segment, each.speaker) for each in found] == [
        (4, 5, AGENT), (5, 5, AGENT), (6, 6, CUSTOMER),
    ]  # fmt: skip
    assert found[0] == Question(AGENT, 0.0, pytest.approx(3.143), 4, 0, 5, 3, "mark")
