"""Windows lose no speech, hear none twice, and map every time back to where it was."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.schemas.audio import SAMPLE_RATE, Audio, Span
from app.services.audio.windows import WINDOW_S, SpeechWindow, pack, whole

CLOSE = 1e-6
"""Seconds: far below one sample."""


@st.composite
def speech(draw: st.DrawFn) -> list[Span]:
    """Stretches on whole samples, in order, some of them touching, some longer than a window."""
    spans, at = [], 0
    for gap, length in draw(
        st.lists(st.tuples(st.integers(0, 80_000), st.integers(1, 1_500_000)), max_size=25)
    ):
        start, at = at + gap, at + gap + length
        spans.append(Span(start / SAMPLE_RATE, at / SAMPLE_RATE))
    return spans


@given(speech())
@settings(deadline=None)
def test_nothing_is_lost_or_heard_twice(spans: list[Span]) -> None:
    pieces = [piece for window in pack(spans) for piece in window.pieces]

    for before, after in pairwise(pieces):
        assert after.start_s >= before.end_s - CLOSE
    assert sum(piece.length_s for piece in pieces) == pytest.approx(sum(span.length_s for span in spans))
    starts = {round(piece.start_s, 6) for piece in pieces}
    ends = {round(piece.end_s, 6) for piece in pieces}
    assert {round(span.start_s, 6) for span in spans} <= starts
    assert {round(span.end_s, 6) for span in spans} <= ends
    for piece in pieces:
        assert any(
            span.start_s - CLOSE <= piece.start_s < piece.end_s <= span.end_s + CLOSE for span in spans
        )


@given(speech(), st.floats(0.5, 60))
@settings(deadline=None)
def test_no_window_is_too_long_or_empty(spans: list[Span], longest_s: float) -> None:
    for window in pack(spans, longest_s):
        assert window.pieces
        assert window.length_s <= longest_s + CLOSE


@given(speech(), st.floats(0, 1))
@settings(deadline=None)
def test_times_map_back_exactly(spans: list[Span], share: float) -> None:
    for window in pack(spans):
        before_s = 0.0
        for piece in window.pieces:
            inside_s = share * piece.length_s
            if inside_s < piece.length_s - CLOSE:
                assert window.to_recording(before_s + inside_s) == pytest.approx(
                    piece.start_s + inside_s, abs=CLOSE
                )
            before_s += piece.length_s
            assert window.to_recording(before_s, is_end=True) == pytest.approx(piece.end_s, abs=CLOSE)


@given(speech(), st.lists(st.floats(-5, 40), min_size=2))
@settings(deadline=None)
def test_order_is_kept_and_nothing_falls_outside(spans: list[Span], times: list[float]) -> None:
    for window in pack(spans):
        mapped = [window.to_recording(time_s) for time_s in sorted(times)]
        assert mapped == sorted(mapped)
        assert window.pieces[0].start_s <= mapped[0] and mapped[-1] <= window.pieces[-1].end_s + CLOSE


@given(speech())
@settings(deadline=None)
def test_windows_of_the_same_speech_are_equal(spans: list[Span]) -> None:
    assert pack(spans) == pack(tuple(spans))


def test_a_seam_belongs_to_what_starts_or_what_ends() -> None:
    window = SpeechWindow((Span(1.0, 2.0), Span(5.0, 6.0)))

    assert window.to_recording(1.0) == 5.0
    assert window.to_recording(1.0, is_end=True) == 2.0
    assert window.to_recording(0.0, is_end=True) == 1.0
    assert window.to_recording(-1) == 1.0
    assert window.to_recording(9) == 6.0


def test_the_samples_are_those_of_the_pieces(tmp_path: Path) -> None:
    stored = np.arange(20 * SAMPLE_RATE, dtype=np.int64) % 30_000
    stored.astype("<i2").tofile(tmp_path / "a")
    audio = Audio(tmp_path / "a", len(stored))
    spans = [Span(1.0, 1.5), Span(3.25, 9.0), Span(12.0, 20.0)]

    (window,) = pack(spans)

    heard = np.concatenate(
        [stored[round(s.start_s * SAMPLE_RATE) : round(s.end_s * SAMPLE_RATE)] for s in spans]
    )
    assert np.array_equal(window.samples(audio) * 32768, heard)
    assert len(heard) == round(window.length_s * SAMPLE_RATE)


def test_a_long_voice_is_cut_at_the_window() -> None:
    windows = pack([Span(2.0, 62.0)])

    assert [(w.pieces[0].start_s, w.pieces[0].end_s) for w in windows] == [
        (2.0, 2.0 + WINDOW_S), (2.0 + WINDOW_S, 2.0 + 2 * WINDOW_S), (2.0 + 2 * WINDOW_S, 62.0),
    ]  # fmt: skip


def test_the_whole_recording(tmp_path: Path) -> None:
    audio = Audio(tmp_path / "a", 70 * SAMPLE_RATE)

    assert sum(window.length_s for window in whole(audio)) == pytest.approx(70)
    assert whole(Audio(tmp_path / "a", 0)) == ()
    assert pack([]) == ()
