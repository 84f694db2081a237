"""What a stored analysis says was heard."""

from __future__ import annotations

from dataclasses import replace

from app.schemas.analysis import Notice
from app.schemas.speaker import Role, RoleSource
from app.services.told_again import heard_again
from tests.db.values import analysis

DIARIZATION = Notice("diarization", "diarization_failed", "x")
DAMAGED = Notice("decode", "damaged_audio", "x")
LESSER = Notice("stt", "degraded_engine", "x")
SENTIMENT = Notice("sentiment", "sentiment_failed", "x")


def test_segments_and_speakers_stay_as_they_are() -> None:
    found = analysis("A")
    heard = heard_again(found, "strict", "r1")
    assert heard.told is not None
    assert heard.told.segments == tuple(part.segment for part in found.segments)
    assert heard.told.speakers == found.speakers
    assert (heard.told.playbook, heard.told.revision, heard.told.is_timed) == ("strict", "r1", True)
    assert len(heard.transcript.words) == sum(len(part.segment.words) for part in found.segments)
    assert (heard.duration_s, heard.loudness, heard.separate_channels) == (
        found.duration_s,
        found.loudness,
        found.separate_channels,
    )
    assert (heard.transcript.language, heard.turns) == ("en", ())
    assert heard.readings == found.conversation.readings
    assert any(heard.readings)


def test_what_is_known_of_the_hearing_stays_with_it_and_nothing_else() -> None:
    found = replace(
        analysis("A"),
        warnings=(SENTIMENT, DIARIZATION, LESSER, DAMAGED),
        failed_stages=("decode", "diarization", "sentiment"),
    )
    heard = heard_again(found)
    assert heard.engines == {"stt": "whisper:base", "diarization": "pauses"}
    assert (heard.degraded, heard.notices) == ((LESSER,), (DIARIZATION,))
    assert (heard.failed_stages, heard.damaged) == (("diarization",), True)


def test_a_diarization_that_is_done_again_finds_speakers_anew() -> None:
    assert heard_again(analysis("A")).without("diarization").told is None


def test_roles_are_to_be_found_where_that_failed_and_nobody_has_set_one() -> None:
    found = replace(analysis("A"), failed_stages=("roles",))
    told = heard_again(found).told
    assert told is not None and told.speakers is None
    first, second = found.speakers
    by_hand = replace(first, role=Role.AGENT, role_source=RoleSource.MANUAL)
    told = heard_again(replace(found, speakers=(by_hand, second))).told
    assert told is not None and told.speakers == (by_hand, second)
