"""The names that models give their classes, and the band of doubt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemas.sentiment import SentimentLabel
from app.services.sentiment.labels import combine, read_labels

P, U, N = SentimentLabel.POSITIVE, SentimentLabel.NEUTRAL, SentimentLabel.NEGATIVE


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["NEGATIVE", "POSITIVE"], [N, P]),
        (["positive", "Negative"], [P, N]),
        (["neg", "neu", "pos"], [N, U, P]),
        (["Very Negative", "Negative", "Neutral", "Positive", "Very Positive"], [N, N, U, P, P]),
        (["LABEL_0", "LABEL_1"], [N, P]),
        (["LABEL_0", "LABEL_1", "LABEL_2"], [N, U, P]),
        (["1 star", "2 stars", "3 stars", "4 stars", "5 stars"], [N, N, U, P, P]),
    ],
)
def test_class_names_are_read(names: list[str], labels: list[SentimentLabel]) -> None:
    assert read_labels(dict(enumerate(names))) == dict(zip(names, labels, strict=True))


@pytest.mark.parametrize("names", [["spam", "ham"], ["POSITIVE", "NEUTRAL"], ["LABEL_0"]])
def test_other_classifiers_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match=r"not about sentiment|no positive"):
        read_labels(dict(enumerate(names)))


@given(st.floats(min_value=0, max_value=1))
def test_the_band_of_doubt_sums_to_one_and_keeps_the_order(positive: float) -> None:
    labels = read_labels({0: "NEGATIVE", 1: "POSITIVE"})
    scores = combine({"NEGATIVE": 1 - positive, "POSITIVE": positive}, labels)
    assert scores.positive + scores.neutral + scores.negative == pytest.approx(1)
    assert min(scores.positive, scores.neutral, scores.negative) >= 0
    assert (scores.positive >= scores.negative) == (positive >= 1 - positive)


@pytest.mark.parametrize(
    ("positive", "label"), [(0.0, N), (0.1, N), (0.2, U), (0.5, U), (0.8, U), (0.9, P), (1.0, P)]
)
def test_the_undecided_are_neutral(positive: float, label: SentimentLabel) -> None:
    scores = combine({"a": 1 - positive, "b": positive}, {"a": N, "b": P})
    by_label = {P: scores.positive, U: scores.neutral, N: scores.negative}
    assert max(by_label, key=lambda each: by_label[each]) is label


def test_stars_are_summed() -> None:
    names = ["1 star", "2 stars", "3 stars", "4 stars", "5 stars"]
    chances = dict(zip(names, (0.1, 0.2, 0.3, 0.25, 0.15), strict=True))
    scores = combine(chances, read_labels(dict(enumerate(names))))
    assert (scores.negative, scores.neutral, scores.positive) == pytest.approx((0.3, 0.3, 0.4))
