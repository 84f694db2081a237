"""Voices are grouped by speaker; the number of speakers is found or obeyed."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.diarization.clustering import MOST_CLUSTERED, find_speakers, refine, spread, ward

Voices = np.ndarray[Any, Any]


def voices_of(speakers: int, each: int = 40, scatter: float = 0.04, seed: int = 0) -> Voices:
    """Unit vectors around ``speakers`` directions that have half of their length in common."""
    chance = np.random.default_rng(seed)
    centres = np.eye(64)[:speakers] + 0.5 * np.eye(64)[63]
    voices = np.repeat(centres, each, axis=0) + scatter * chance.normal(size=(speakers * each, 64))
    return (voices / np.linalg.norm(voices, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("speakers", [1, 2, 3, 4, 5, 6])
def test_the_number_of_speakers_is_found(speakers: int) -> None:
    voices = voices_of(speakers)
    found = find_speakers(voices, 20.0 * speakers, most=6)
    assert len(found) == speakers
    owner = np.argmax(voices @ found.T, axis=1).reshape(speakers, -1)
    assert (owner == owner[:, :1]).all()
    assert len(np.unique(owner[:, 0])) == speakers


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 8])
def test_a_given_number_is_obeyed_even_of_one_voice(count: int) -> None:
    assert len(find_speakers(voices_of(1), 20.0, most=6, count=count)) == count


def test_there_are_no_more_speakers_than_voices() -> None:
    assert len(find_speakers(voices_of(1, each=2), 2.0, most=6, count=5)) == 2
    assert len(find_speakers(voices_of(1, each=1), 0.2, most=6)) == 1


def test_no_more_speakers_are_looked_for_than_asked() -> None:
    assert len(find_speakers(voices_of(5), 100.0, most=3)) <= 3


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 24), st.integers(0, 1000))
def test_ward_gives_every_division_and_each_splits_one_group_of_the_last(count: int, seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)
    divisions = ward(points, count)
    for number, labels in enumerate(divisions, start=1):
        assert sorted(set(labels)) == list(range(number))
    for coarse, fine in itertools.pairwise(divisions):
        assert len(set(zip(coarse, fine, strict=True))) == len(set(fine))


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 12), st.integers(0, 1000))
def test_ward_joins_what_adds_least_scatter(count: int, seed: int) -> None:
    """Against the criterion written out: at each step the pair whose union adds the least squared error."""
    points = np.random.default_rng(seed).normal(size=(count, 2)).astype(np.float32)
    groups = [[index] for index in range(count)]

    def error(members: list[int]) -> float:
        return float(((points[members] - points[members].mean(axis=0)) ** 2).sum())

    while len(groups) > 2:
        pairs = [(a, b) for a in range(len(groups)) for b in range(a)]
        added = [error(groups[a] + groups[b]) - error(groups[a]) - error(groups[b]) for a, b in pairs]
        a, b = pairs[int(np.argmin(added))]
        groups[b] += groups.pop(a)
    labels = ward(points, 2)[1]
    assert {frozenset(np.flatnonzero(labels == side)) for side in (0, 1)} == {frozenset(g) for g in groups}


def test_refining_moves_strays_and_empties_no_group() -> None:
    voices = voices_of(2)
    labels = np.repeat([0, 1], 40)
    labels[3] = 1
    assert np.array_equal(refine(voices, labels), np.repeat([0, 1], 40))
    assert set(refine(np.repeat(voices[:1], 4, axis=0), np.array([0, 1, 2, 2]))) == {0, 1, 2}


@given(st.integers(1, 50_000))
def test_few_are_all_taken_and_many_evenly(count: int) -> None:
    taken = spread(count)
    assert len(taken) == min(count, MOST_CLUSTERED)
    assert taken[0] == 0
    assert taken[-1] == count - 1
    assert len(taken) < 2 or np.diff(taken).max() - np.diff(taken).min() <= 1
