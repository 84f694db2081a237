"""The shape of AWS's post-call JSON, its numbers worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest

from app.schemas.analysis import CallStatus
from app.schemas.speaker import Role, Speaker
from app.schemas.transcript import Word
from app.services.exports.aws import to_aws
from app.services.metrics_service import measure
from tests.services.exports.factories import ANA, CUSTOMER, record, spoken, two_parties


def test_the_head_of_the_document() -> None:
    told = to_aws(record(), two_parties())
    assert set(told) == {
        "JobName", "JobStatus", "LanguageCode", "Channel", "ContentMetadata", "Participants", "Transcript",
        "Categories", "ConversationCharacteristics",
    }  # fmt: skip
    assert (told["JobName"], told["JobStatus"], told["LanguageCode"]) == ("CALL-1", "COMPLETED", "en")
    assert (told["Channel"], told["ContentMetadata"]) == ("VOICE", {"Output": "Raw"})
    assert told["Participants"] == [{"ParticipantRole": "AGENT"}, {"ParticipantRole": "CUSTOMER"}]
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize(
    "status", [CallStatus.COMPLETED_WITH_WARNINGS, CallStatus.PROCESSING, CallStatus.QUEUED]
)
def test_a_call_that_is_worked_on_again_shows_what_it_has(status: CallStatus) -> None:
    assert to_aws(record(status=status), two_parties()) == to_aws(record(), two_parties())


def test_a_segment_of_the_transcript() -> None:
    transcript = to_aws(record(), two_parties())["Transcript"]
    assert len(transcript) == 4
    first = transcript[0]
    UUID(first["Id"])
    assert len({each["Id"] for each in transcript}) == 4
    assert [each["Id"] for each in to_aws(record(), two_parties())["Transcript"]] == [
        each["Id"] for each in transcript
    ]
    assert (first["BeginOffsetMillis"], first["EndOffsetMillis"]) == (1000, 4000)
    assert (first["ParticipantRole"], first["Sentiment"]) == ("AGENT", "NEUTRAL")
    assert first["Content"] == "Hello, this is Ana."
    assert first["Items"][:3] == [
        {"Type": "pronunciation", "Content": "Hello", "Confidence": "0.9", "BeginOffsetMillis": 1000,
         "EndOffsetMillis": 1750},
        {"Type": "punctuation", "Content": ",", "Confidence": "0.0", "BeginOffsetMillis": 1750,
         "EndOffsetMillis": 1750},
        {"Type": "pronunciation", "Content": "this", "Confidence": "0.9", "BeginOffsetMillis": 1750,
         "EndOffsetMillis": 2500},
    ]  # fmt: skip
    assert "ActionItemsDetected" not in first


def test_loudness_is_of_the_speakers_own_channel_for_each_second_touched() -> None:
    transcript = to_aws(record(), two_parties())["Transcript"]
    assert transcript[0]["LoudnessScores"] == [79.5, 79.0, 78.5]  # seconds 1, 2, 3: -20.5, -21, -21.5
    assert transcript[1]["LoudnessScores"] == [70.0] * 5  # 4.5 to 8.5 touches 4, 5, 6, 7, 8


def test_loudness_without_separate_channels_is_of_the_one_signal_and_stays_in_its_scale() -> None:
    mono = replace(
        two_parties(), separate_channels=False, loudness=((-120.0, -40.0, 3.0, -60.0) + (0.0,) * 16,)
    )
    transcript = to_aws(record(), mono)["Transcript"]
    assert transcript[0]["LoudnessScores"] == [60.0, 100.0, 40.0]
    assert to_aws(record(), replace(mono, loudness=()))["Transcript"][0]["LoudnessScores"] == []


def test_next_steps_are_action_items() -> None:
    step = to_aws(record(), two_parties())["Transcript"][2]
    (item,) = step["ActionItemsDetected"]
    begin, end = item["CharacterOffsets"]["Begin"], item["CharacterOffsets"]["End"]
    assert step["Content"][begin:end] == "send you a quote"


def test_categories_are_the_types_of_moments() -> None:
    assert to_aws(record(), two_parties())["Categories"] == {
        "MatchedCategories": ["dead_air", "next_step", "objection"],
        "MatchedDetails": {
            "dead_air": {"PointsOfInterest": [{"BeginOffsetMillis": 10000, "EndOffsetMillis": 16000}]},
            "next_step": {"PointsOfInterest": [{"BeginOffsetMillis": 8400, "EndOffsetMillis": 10000}]},
            "objection": {"PointsOfInterest": [{"BeginOffsetMillis": 6000, "EndOffsetMillis": 7000}]},
        },
    }


def test_characteristics_by_hand() -> None:
    assert to_aws(record(), two_parties())["ConversationCharacteristics"] == {
        "TotalConversationDurationMillis": 20000,
        "Interruptions": {
            "InterruptionsByInterrupter": {
                "AGENT": [{"BeginOffsetMillis": 8000, "EndOffsetMillis": 8500, "DurationMillis": 500}]
            },
            "TotalCount": 1,
            "TotalTimeMillis": 500,
        },
        "NonTalkTime": {
            "Instances": [{"BeginOffsetMillis": 10000, "EndOffsetMillis": 16000, "DurationMillis": 6000}],
            "TotalTimeMillis": 6000,
        },
        "Sentiment": {
            "OverallSentiment": {"AGENT": 1.11, "CUSTOMER": -2.0},  # (0*4 + 2*5)/9, (-3.5*8 + 4*2)/10
            "SentimentByPeriod": {
                "QUARTER": {
                    "AGENT": [
                        {"BeginOffsetMillis": 0, "EndOffsetMillis": 5000, "Score": 0.0},
                        {"BeginOffsetMillis": 5000, "EndOffsetMillis": 10000, "Score": 2.0},
                    ],
                    "CUSTOMER": [
                        {"BeginOffsetMillis": 5000, "EndOffsetMillis": 10000, "Score": -3.5},
                        {"BeginOffsetMillis": 15000, "EndOffsetMillis": 20000, "Score": 4.0},
                    ],
                }
            },
        },
        "TalkSpeed": {
            "DetailsByParticipant": {
                "AGENT": {"AverageWordsPerMinute": 108},  # 9 words in 5 s
                "CUSTOMER": {"AverageWordsPerMinute": 100},  # 10 words in 6 s
            }
        },
        "TalkTime": {
            "DetailsByParticipant": {
                "AGENT": {"TotalTimeMillis": 5000},
                "CUSTOMER": {"TotalTimeMillis": 6000},
            },
            "TotalTimeMillis": 11000,
        },
    }


def test_speakers_of_one_role_are_one_participant() -> None:
    both = (ANA, replace(CUSTOMER, role=Role.AGENT))
    analysis = replace(two_parties(), speakers=both)
    analysis = replace(analysis, metrics=measure(analysis.conversation))
    told = to_aws(record(), analysis)
    assert told["Participants"] == [{"ParticipantRole": "AGENT"}]
    talk = told["ConversationCharacteristics"]["TalkTime"]
    assert talk["DetailsByParticipant"] == {"AGENT": {"TotalTimeMillis": 10500}}  # 5 + 6 - 0.5 together
    overall = told["ConversationCharacteristics"]["Sentiment"]["OverallSentiment"]
    assert overall == {"AGENT": -0.53}  # (0*4 + 2*5 - 3.5*8 + 4*2) / 19


def test_an_unknown_role_is_a_participant_of_its_own() -> None:
    analysis = spoken(("speaker_0", [Word("Hi", 0.0, 1.0)]))
    analysis = replace(analysis, metrics=measure(analysis.conversation))
    told = to_aws(record(), analysis)
    assert told["Participants"] == [{"ParticipantRole": "UNKNOWN"}]
    (segment,) = told["Transcript"]
    assert segment["ParticipantRole"] == "UNKNOWN"
    assert segment["Items"][0]["Confidence"] == "0.0"
    assert "Sentiment" not in segment
    told_of = told["ConversationCharacteristics"]
    assert told_of["TalkTime"]["DetailsByParticipant"] == {"UNKNOWN": {"TotalTimeMillis": 1000}}
    assert told_of["Sentiment"] == {"OverallSentiment": {}, "SentimentByPeriod": {"QUARTER": {}}}


def test_without_metrics_only_the_duration_is_told() -> None:
    told = to_aws(record(), replace(two_parties(), metrics=None))
    assert told["ConversationCharacteristics"] == {"TotalConversationDurationMillis": 20000}


def test_a_call_without_speech() -> None:
    silent = replace(spoken(), duration_s=3.0)
    silent = replace(silent, metrics=measure(silent.conversation))
    told = to_aws(record(), silent)
    assert (told["Transcript"], told["Participants"]) == ([], [])
    assert told["ConversationCharacteristics"]["NonTalkTime"]["TotalTimeMillis"] == 3000


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("really?!", [("pronunciation", "really"), ("punctuation", "?!")]),
        ("$1.50", [("pronunciation", "$1.50")]),
        ("¿Qué?", [("pronunciation", "¿Qué"), ("punctuation", "?")]),
        ("…", [("punctuation", "…")]),
        (" ", []),
        ("है।", [("pronunciation", "है"), ("punctuation", "।")]),
    ],
)
def test_marks_at_the_end_of_a_word_are_items_of_their_own(text: str, items: list[tuple[str, str]]) -> None:
    told = to_aws(record(), spoken(("speaker_0", [Word("Hi", 0.0, 1.0), Word(text, 1.0, 2.0)])))
    assert [(each["Type"], each["Content"]) for each in told["Transcript"][0]["Items"][1:]] == items


def test_a_speaker_without_a_channel_of_its_own_is_heard_in_that_of_its_words() -> None:
    analysis = replace(
        two_parties(), speakers=(Speaker("speaker_0", Role.AGENT), Speaker("speaker_1", Role.CUSTOMER))
    )
    assert to_aws(record(), analysis)["Transcript"][1]["LoudnessScores"] == [70.0] * 5
