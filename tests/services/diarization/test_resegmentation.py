"""Models of one call's frames, the best path through them, and stretches of voice by level."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.diarization.activity import is_line, runs, voiced
from app.services.diarization.mel import QUIETEST, mel_power
from app.services.diarization.mixtures import fit_mixture, voice_scores
from app.services.diarization.resegmentation import best_path


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(0, 1000), st.floats(0.0, 3.0))
def test_the_best_path_is_the_best_of_all(count: int, seed: int, cost: float) -> None:
    scores = np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)
    costs = cost * (1 - np.eye(3))

    def worth(path: tuple[int, ...]) -> float:
        changes = sum(costs[before, after] for before, after in pairwise(path))
        return float(sum(scores[at, state] for at, state in enumerate(path)) - changes)

    found = worth(tuple(best_path(scores, costs).tolist()))
    assert found == pytest.approx(max(worth(path) for path in product(range(3), repeat=count)), abs=1e-5)


def test_a_mixture_finds_two_clouds_and_tells_them_apart_from_a_third() -> None:
    chance = np.random.default_rng(0)
    clouds = [chance.normal(centre, 0.3, size=(400, 2)) for centre in (-3.0, 3.0)]
    mixture = fit_mixture(np.concatenate(clouds).astype(np.float32), 2)
    assert sorted(mixture.means[:, 0].tolist()) == pytest.approx([-3.0, 3.0], abs=0.1)
    assert mixture.shares == pytest.approx([0.5, 0.5], abs=0.05)
    heard = mixture.log_likelihood(np.array([[-3.0, -3.0], [0.0, 0.0], [3.0, 3.0]], dtype=np.float32))
    assert heard[1] < min(heard[0], heard[2]) - 10


def test_a_mixture_is_a_density() -> None:
    mixture = fit_mixture(np.random.default_rng(1).normal(size=(300, 1)).astype(np.float32), 4)
    grid = np.linspace(-12, 12, 4001, dtype=np.float32)
    density = np.exp(mixture.log_likelihood(grid[:, None]).astype(np.float64))
    assert density.sum() * (24 / 4000) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("count", [1, 2, 60])
def test_a_mixture_of_few_frames(count: int) -> None:
    frames = np.random.default_rng(2).normal(size=(count, 3)).astype(np.float32)
    assert np.isfinite(fit_mixture(frames, 16).log_likelihood(frames)).all()


def test_voices_score_by_the_speakers_they_are_near() -> None:
    chance = np.random.default_rng(3)
    labels = np.repeat([0, 1, 2], 30)
    voices = (np.eye(8)[labels] + 0.05 * chance.normal(size=(90, 8))).astype(np.float32)
    scores = voice_scores(voices, labels, 3)
    assert np.array_equal(scores.argmax(axis=1), labels)
    assert scores.max(axis=1) == pytest.approx(np.zeros(90))
    assert scores.min() >= -8.0


def test_voices_score_alike_while_nobody_is_known() -> None:
    voices = np.random.default_rng(4).normal(size=(5, 8)).astype(np.float32)
    assert voice_scores(voices, np.full(5, -1), 2) == pytest.approx(np.zeros((5, 2)))


@given(st.lists(st.integers(0, 300), max_size=60, unique=True), st.integers(0, 30))
def test_runs_hold_all_frames_and_only_short_gaps(numbers: list[int], pause: int) -> None:
    frames = np.array(sorted(numbers), dtype=np.int64)
    found = runs(frames, pause)
    assert set(numbers) <= {at for start, end in found for at in range(start, end)}
    for (_, end), (start, _) in pairwise(found):
        assert start - end > pause
    for start, end in found:
        assert {start, end - 1} <= set(numbers)


def test_pauses_by_level_are_left_out_and_short_ones_kept() -> None:
    levels = np.full(300, 0.1, dtype=np.float32)
    levels[:15] = levels[50:70] = levels[150:190] = 0.1 * 10 ** (-26 / 20)
    everywhere = np.ones(300, dtype=bool)
    stretches = voiced(np.arange(300) + 1000, levels, everywhere, everywhere, pause=25)
    assert stretches == [(1015, 1150), (1190, 1300)]


def test_clicks_are_no_turns_but_nobody_is_left_without_one() -> None:
    levels = np.full(100, 1e-4, dtype=np.float32)
    levels[10:13] = levels[40:80] = 0.1
    speaks = np.ones(100, dtype=bool)
    assert voiced(np.arange(100), levels, speaks, speaks, pause=25) == [(40, 80)]
    only_click = np.arange(100) < 14
    assert voiced(np.arange(100), levels, only_click, only_click, pause=25) == [(0, 14)]


@pytest.mark.parametrize("level", [0.001, 0.01, 0.3])
@pytest.mark.parametrize(("highest_hz", "line"), [(3500, True), (7000, False)])
def test_a_line_is_known_by_its_band_at_any_level(level: float, highest_hz: int, line: bool) -> None:
    spectrum = np.fft.rfft(np.random.default_rng(5).normal(size=32_000))
    spectrum[np.fft.rfftfreq(32_000, 1 / 16_000) > highest_hz] = 0.0
    power = mel_power((level * np.fft.irfft(spectrum)).astype(np.float32))
    assert is_line(np.log(power + QUIETEST).astype(np.float16)) is line
