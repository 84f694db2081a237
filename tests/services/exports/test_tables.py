"""CSV of calls and moments: figures by hand, read back, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemas.analysis import Analysis, CallStatus
from app.schemas.call import CallRecord
from app.schemas.digest import CallDigest
from app.schemas.moment import MomentType, TimedMomentType
from app.schemas.speaker import Role
from app.services.exports.tables import CALL_COLUMNS, MOMENT_COLUMNS, calls_csv, moments_csv
from app.services.metrics_service import measure
from tests.services.exports.factories import ANA, CUSTOMER, record, two_parties


def digest(call: CallRecord, analysis: Analysis | None) -> CallDigest:
    if analysis is None:
        return CallDigest(call)
    return CallDigest(
        call,
        analysis.language,
        analysis.degraded,
        analysis.engines,
        analysis.speakers,
        analysis.metrics,
        analysis.moments,
    )


def read(lines: list[str]) -> list[dict[str, str]]:
    assert all(line.endswith("\r\n") for line in lines)
    return list(csv.DictReader(StringIO("".join(lines), newline=""), strict=True))


def test_a_row_of_the_table_of_calls_by_hand() -> None:
    (row,) = read(list(calls_csv([digest(record(team_id="emea"), two_parties())])))
    assert tuple(row) == CALL_COLUMNS
    told = {column: cell for column, cell in row.items() if cell}
    assert {kind for kind in told if told[kind] == "0"} == {
        *(kind.value for kind in (*MomentType, *TimedMomentType)), "customer_interruptions",
        "agent_fillers_per_100_words", "agent_questions_per_hour", "customer_questions_per_hour",
    } - {"objection", "next_step", "dead_air"}  # fmt: skip
    assert {column: cell for column, cell in told.items() if cell != "0"} == {
        "call_id": "CALL-1", "status": "completed", "created_at": "2026-03-01T12:00:00+00:00",
        "completed_at": "2026-03-01T12:00:00+00:00", "agent_id": "a-7", "team_id": "emea",
        "direction": "inbound", "language": "en", "stt_engine": "whisper:base",
        "diarization_engine": "channel", "sentiment_engine": "lexicon", "degraded": "false",
        "duration_s": "20", "speakers": "2",
        "metrics_version": "1",
        "share_of_speech": "0.4545",  # 5 / (5 + 6)
        "share_of_call": "0.25", "agent_talk_s": "5", "customer_talk_s": "6", "overlap_s": "0.5",
        "silence_s": "9.5",  # 20 - (5 + 6 - 0.5)
        "non_talk_s": "6",
        "interactivity": "9",  # 3 switches in 20 s
        "patience_median_s": "-0.5", "patience_p25_s": "-0.5",  # one switch to the agent, 0.5 s early
        "longest_monologue_s": "3", "longest_customer_story_s": "4", "agent_interruptions": "1",
        "agent_words_per_minute": "108", "customer_words_per_minute": "100",
        "agent_sentiment": "1.1111", "customer_sentiment": "-2",
        "call_sentiment": "-0.5263",  # (0*4 - 3.5*8 + 2*5 + 4*2) / 19
        "call_sentiment_shift": "4", "moments": "3", "objection": "1", "next_step": "1", "dead_air": "1",
    }  # fmt: skip


def test_there_is_a_column_for_each_type_of_moment() -> None:
    assert {kind.value for kind in (*MomentType, *TimedMomentType)} <= set(CALL_COLUMNS)
    assert len(set(CALL_COLUMNS)) == len(CALL_COLUMNS)


def test_a_call_without_a_result_has_empty_cells_and_no_zeros() -> None:
    waiting = record(status=CallStatus.QUEUED, completed_at=None, duration_s=None)
    (row,) = read(list(calls_csv([digest(waiting, None)])))
    assert {column for column in CALL_COLUMNS if row[column]} == {
        "call_id", "status", "created_at", "agent_id", "direction",
    }  # fmt: skip


def test_without_metrics_the_moments_are_still_counted() -> None:
    (row,) = read(list(calls_csv([digest(record(), replace(two_parties(), metrics=None))])))
    assert (row["moments"], row["objection"], row["monologue"], row["overlap_s"]) == ("3", "1", "0", "")


def test_speakers_of_one_role_are_counted_together() -> None:
    analysis = replace(two_parties(), speakers=(ANA, replace(CUSTOMER, role=Role.AGENT)))
    analysis = replace(analysis, metrics=measure(analysis.conversation))
    (row,) = read(list(calls_csv([digest(record(), analysis)])))
    assert (row["agent_talk_s"], row["customer_talk_s"]) == ("10.5", "")
    assert row["agent_words_per_minute"] == "108.5714"  # 19 words in 10.5 s


def test_a_row_of_the_table_of_moments() -> None:
    analysis = two_parties()
    rows = read(list(moments_csv([digest(record(), analysis)])))
    assert [row["type"] for row in rows] == ["objection", "next_step", "dead_air"]
    assert tuple(rows[0]) == MOMENT_COLUMNS
    first = rows[0]
    assert (first["subtype"], first["speaker"], first["segment"]) == ("price", "speaker_1", "1")
    assert (first["start_s"], first["end_s"], first["evidence"]) == ("6", "7", "too expensive")
    assert (rows[2]["segment"], rows[2]["speaker"], rows[2]["evidence"]) == ("", "", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_text_that_begins_as_a_formula_does_is_told_apart(start: str) -> None:
    said = f"{start}HYPERLINK(1)"
    (row,) = read(list(calls_csv([digest(record(agent_id=said), None)])))
    assert row["agent_id"] == f"'{said}"


def test_real_numbers_keep_their_sign() -> None:
    (row,) = read(list(calls_csv([digest(record(), two_parties())])))
    assert float(row["customer_sentiment"]) == -2.0


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40))
def test_any_text_comes_back_as_it_was_or_with_an_apostrophe(text: str) -> None:
    lines = list(calls_csv([digest(record(agent_id=text, customer_id="next"), None)]))
    (row,) = read(lines)
    assert row["customer_id"] == "next"
    assert row["agent_id"] in (text, f"'{text}")
    assert not row["agent_id"].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    "".join(lines).encode("utf-8")
