"""What is made of the answers of servers, whichever part of the words' times and writing they give."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.schemas.transcript import Transcript, join_words
from app.services.stt.openai_api_answer import Answer, transcript_of
from tests.services.stt.audio_api_server import HEARD, SAID


def hear(content: dict[str, Any] | bytes, language: str | None = None) -> Transcript:
    """The answer to a window of three seconds."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return transcript_of(Answer.model_validate_json(body), 3.0, language)


def texts(heard: Transcript) -> list[str]:
    return [word.text for word in heard.words]


def test_words_with_times_segments_and_punctuation() -> None:
    heard = hear(HEARD)
    assert texts(heard) == SAID
    assert [word.start_s for word in heard.words] == [0.1, 0.6, 0.8, 1.0, 2.2]
    assert [word.ends_segment for word in heard.words] == [False, False, False, True, True]
    assert [word.confidence for word in heard.words] == pytest.approx([0.905] * 4 + [0.607], abs=1e-3)
    assert not any(word.estimated for word in heard.words)
    assert heard.language == "en"


def test_words_inside_segments_with_probabilities() -> None:
    words = [
        {"word": " Good", "start": 0, "end": 1, "probability": 0.8},
        {"word": " day", "start": 1, "end": 2},
    ]
    segment = {"text": " Good day", "start": 0, "end": 2, "avg_logprob": 0.3, "words": words}
    heard = hear({"text": "", "segments": [segment], "language": "en-US"})
    assert texts(heard) == [" Good", " day"]
    assert [(word.space_before, word.confidence) for word in heard.words] == [(True, 0.8), (True, 1.0)]
    assert heard.language == "en"


def test_segments_alone_have_their_words_spread_over_them() -> None:
    heard = hear({**HEARD, "words": []})
    assert texts(heard) == SAID
    assert all(word.estimated for word in heard.words)
    assert (heard.words[0].start_s, heard.words[3].end_s) == pytest.approx((0.0, 2.0))
    assert (heard.words[4].start_s, heard.words[4].end_s) == pytest.approx((2.0, 3.0))
    assert [word.ends_segment for word in heard.words] == [False, False, False, True, True]
    assert heard.words[4].confidence == pytest.approx(0.607, abs=1e-3)


def test_text_alone_is_spread_over_the_window() -> None:
    heard = hear({"text": "Hello there."})
    assert texts(heard) == ["Hello", "there."]
    assert heard.words[-1].end_s == 3.0
    assert all(word.estimated and word.confidence is None for word in heard.words)
    assert heard.language is None


def test_times_that_are_missing_or_no_numbers_are_made_up_and_marked() -> None:
    body = b"""{"text": "a b c", "words": [{"word": "a", "start": 0.0, "end": 1.0},
        {"word": "b", "start": NaN, "end": 1e999}, {"word": "c", "start": 2.0, "end": 3.0}]}"""
    heard = hear(body)
    assert [(word.start_s, word.end_s, word.estimated) for word in heard.words] == [
        (0.0, 1.0, False),
        (1.0, 2.0, True),
        (2.0, 3.0, False),
    ]
    segments = [{"text": "one", "start": 0, "end": 1}, {"text": "two"}]
    heard = hear({"text": "one two", "segments": segments})
    assert [(word.start_s, word.end_s) for word in heard.words] == [(0, 1), (1, 3)]


def test_nothing_said_is_no_words() -> None:
    assert hear({"text": "", "language": "english", "segments": [], "words": []}) == Transcript((), "en")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("english", "en"), ("German", "de"), ("pt", "pt"), ("pt-BR", "pt"), ("zh_TW", "zh"),
        ("haitian creole", "ht"), ("jw", "jv"), ("javanese", "jv"), ("yue", "yue"),
        ("klingon", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_the_language_is_named_as_everywhere(given: str | None, code: str | None) -> None:
    assert hear({"text": "x", "language": given}).language == code


def test_the_language_asked_for_is_obeyed_whatever_the_server_says() -> None:
    assert hear(HEARD, language="de").language == "de"


def test_ideographs_stay_without_spaces() -> None:
    words = [{"word": each, "start": at, "end": at + 1} for at, each in enumerate("你好世界")]
    heard = hear({"text": "你好，世界。", "words": words})
    assert join_words(heard.words) == "你好，世界。"
