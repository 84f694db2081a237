"""The transcript as text and as a document."""

from __future__ import annotations

import json

from app.schemas.transcript import Word
from app.services.exports.text import to_document, to_txt
from tests.services.exports.factories import record, spoken, two_parties


def test_text_has_a_line_for_each_turn() -> None:
    assert to_txt(two_parties()) == (
        "[00:01] Ana: Hello, this is Ana.\n"
        "[00:04] Customer: That is far too expensive for our budget.\n"
        "[00:08] Ana: I'll send you a quote.\n"
        "[00:16] Customer: Thanks, bye.\n"
    )


def test_segments_of_one_speaker_in_a_row_are_one_line_without_breaks() -> None:
    analysis = spoken(
        ("speaker_0", [Word("one\n", 59.9, 60.0)]),
        ("speaker_0", [Word("two", 61.0, 62.0)]),
        ("speaker_1", [Word("three", 3723.0, 3724.0)]),
    )
    assert to_txt(analysis) == "[00:59] speaker_0: one two\n[1:02:03] speaker_1: three\n"
    assert to_txt(spoken()) == ""


def test_the_document_holds_segments_with_their_words() -> None:
    told = to_document(record(), two_parties())
    assert json.loads(json.dumps(told)) == told
    assert (told["call_id"], told["language"], told["duration_seconds"]) == ("CALL-1", "en", 20.0)
    assert told["speakers"][0] == {
        "id": "speaker_0", "label": "Ana", "name": "Ana", "role": "agent", "role_confidence": 1.0,
    }  # fmt: skip
    third = told["segments"][2]
    assert {name: third[name] for name in ("speaker", "label", "role", "start_time", "end_time", "text")} == {
        "speaker": "speaker_0", "label": "Ana", "role": "agent", "start_time": 8.0, "end_time": 10.0,
        "text": "I'll send you a quote.",
    }  # fmt: skip
    assert third["words"][1] == {"text": "send", "start_time": 8.4, "end_time": 8.8, "confidence": 0.9}
    assert to_document(record(), spoken(("speaker_0", [Word("Hi", 0, 1)])))["segments"][0]["words"] == [
        {"text": "Hi", "start_time": 0, "end_time": 1, "confidence": None}
    ]
