"""Subtitles: golden files, safe text, and cues that are short, in order and complete."""

from __future__ import annotations

import html
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from app.schemas.speaker import Role, Speaker
from app.schemas.transcript import Word
from app.services.exports.subtitles import LINE_WIDTH, MAX_CUE_MS, MAX_LINES, cues_of, to_srt, to_vtt
from tests.services.exports.factories import spoken, two_parties

SRT_CUE = re.compile(r"(\d+)\n(\S+) --> (\S+)\n((?:.+\n)+)(?:\n|$)")
VTT_CUE = re.compile(r"(\S+) --> (\S+)\n<v ([^>\n]*)>((?:.+\n)+?)(?:\n|$)")


def even(text: str, start_s: float = 0.0, step_s: float = 0.4) -> list[Word]:
    return [
        Word(word, start_s + step_s * at, start_s + step_s * (at + 1)) for at, word in enumerate(text.split())
    ]


def test_srt_of_a_small_call() -> None:
    assert to_srt(two_parties()) == (
        "1\n00:00:01,000 --> 00:00:04,000\nAna: Hello, this is Ana.\n\n"
        "2\n00:00:04,500 --> 00:00:08,500\nCustomer: That is far too expensive for\nour budget.\n\n"
        "3\n00:00:08,000 --> 00:00:10,000\nAna: I'll send you a quote.\n\n"
        "4\n00:00:16,000 --> 00:00:18,000\nCustomer: Thanks, bye.\n"
    )


def test_vtt_of_a_small_call() -> None:
    assert to_vtt(two_parties()) == (
        "WEBVTT\n\n"
        "00:00:01.000 --> 00:00:04.000\n<v Ana>Hello, this is Ana.</v>\n\n"
        "00:00:04.500 --> 00:00:08.500\n<v Customer>That is far too expensive for our budget.</v>\n\n"
        "00:00:08.000 --> 00:00:10.000\n<v Ana>I'll send you a quote.</v>\n\n"
        "00:00:16.000 --> 00:00:18.000\n<v Customer>Thanks, bye.</v>\n"
    )


def test_a_call_without_speech() -> None:
    assert to_srt(spoken()) == ""
    assert to_vtt(spoken()) == "WEBVTT\n"


def test_what_players_would_obey_is_made_safe() -> None:
    nasty = (Speaker("speaker_0", Role.AGENT, name="<b>&\n-->{x}"),)
    analysis = spoken(("speaker_0", even("a --> b <i>c</i> & {\\an8}")), speakers=nasty)
    ((_, _, _, shown),) = SRT_CUE.findall(to_srt(analysis))
    assert shown == "‹b›& --›(x): a --› b ‹i›c‹/i› & (\\an8)\n"
    ((_, _, name, text),) = VTT_CUE.findall(to_vtt(analysis))
    assert html.unescape(name) == "<b>& -->{x}"
    assert html.unescape(text.removesuffix("</v>\n")) == "a --> b <i>c</i> & {\\an8}"


def test_long_segments_are_split_at_words_and_pauses() -> None:
    slow = [Word("one", 0.0, 1.0), Word("two", 2.6, 3.0), Word("three", 3.1, 9.5), Word("four", 9.6, 9.8)]
    cues = cues_of(spoken(("speaker_0", slow)), named=False)
    assert [(cue.start_ms, cue.end_ms, cue.lines) for cue in cues] == [
        (0, 1000, ("one",)),
        (2600, 9500, ("two three",)),
        (9600, 9800, ("four",)),
    ]


def test_a_word_longer_than_a_line_is_broken_and_a_long_name_cut() -> None:
    long = (Speaker("speaker_0", name="N" * 60),)
    cues = cues_of(spoken(("speaker_0", [Word("x" * 100, 0.0, 1.0)]), speakers=long), named=True)
    assert "".join("".join(cue.lines) for cue in cues) == "N" * 31 + "…: " + "x" * 100
    assert all(len(line) <= LINE_WIDTH for cue in cues for line in cue.lines)


def test_an_hour_and_a_word_without_length() -> None:
    cues = spoken(("speaker_0", [Word("late", 3661.2345, 3661.2345)]))
    assert "01:01:01.234 --> 01:01:01.235" in to_vtt(cues)


def test_scripts_without_spaces_are_joined_without_them() -> None:
    said = [Word("你", 0, 0.2, space_before=False), Word("好", 0.2, 0.4, space_before=False)]
    assert cues_of(spoken(("speaker_0", said)), named=False)[0].lines == ("你好",)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)
SPOKEN = st.lists(
    st.lists(st.tuples(TEXTS, st.floats(0, 3), st.floats(0, 9)), min_size=1, max_size=12), max_size=4
)


def said_by(rows: list[list[tuple[str, float, float]]]) -> list[tuple[str, list[Word]]]:
    segments, start = [], 0.0
    for index, row in enumerate(rows):
        words, now = [], max(0.0, start - 1.0)
        for text, pause, length in row:
            words.append(Word(text, now + pause, now + pause + length))
            now += pause + length
        segments.append((f"speaker_{index % 2}", words))
        start = now
    return segments


@settings(max_examples=200, deadline=None)
@given(SPOKEN)
def test_cues_are_in_order_short_and_complete(rows: list[list[tuple[str, float, float]]]) -> None:
    analysis = spoken(*said_by(rows))
    cues = cues_of(analysis, named=False)
    assert [cue.start_ms for cue in cues] == sorted(cue.start_ms for cue in cues)
    for cue in cues:
        assert 0 <= cue.start_ms < cue.end_ms <= cue.start_ms + MAX_CUE_MS
        assert all(0 < len(line) <= LINE_WIDTH for line in cue.lines)
        assert len(cue.lines) <= MAX_LINES
    for speaker in {cue.speaker for cue in cues}:
        shown = "".join("".join(cue.lines) for cue in cues if cue.speaker == speaker)
        texts = [word.text for name, words in said_by(rows) if name == speaker for word in words]
        assert letters(shown) == letters("".join(texts))


@settings(max_examples=100, deadline=None)
@given(SPOKEN)
def test_both_files_can_be_read_back(rows: list[list[tuple[str, float, float]]]) -> None:
    analysis = spoken(*said_by(rows))
    cues = cues_of(analysis, named=False)
    read = VTT_CUE.findall(to_vtt(analysis).removeprefix("WEBVTT\n").lstrip("\n"))
    assert [html.unescape(text.removesuffix("</v>\n")) for _, _, _, text in read] == [
        "\n".join(cue.lines) for cue in cues
    ]
    numbers = [int(number) for number, *_ in SRT_CUE.findall(to_srt(analysis))]
    assert numbers == list(range(1, len(cues_of(analysis, named=True)) + 1))


def letters(text: str) -> list[str]:
    return sorted(sign for sign in text if sign.isprintable() and not sign.isspace())
