"""Trains the readers of other languages: a logistic regression over character n-grams for each.

What a rule is worth beside them is taken from English: the rules of the other languages were written with
this talk at hand, so that they are right about it oftener than about any other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from app.services.reading.ngrams import features
from training.moments.calibrate import (
    FLOOR,
    Merge,
    best_thresholds,
    fit_scales,
    in_terms_of,
    micro_f1,
)
from training.moments.export import WEIGHTS, describe
from training.moments.rules import rule_ids
from training.moments.talk import OTHER_LANGUAGES, SUBTYPES, TYPES, Floats, Line, labels_of, read, sayable

BUCKETS = 1 << 14
FOLDS = 5
STRENGTH = 30.0
"""Inverse of the penalty on weights; of features of length 1 a weight must be large to say anything."""
NEVER = -8.0


def train(merge: Merge) -> None:
    """`others.npz` and `others.json`; ``merge`` is what rules are worth beside the network in English."""
    arrays: dict[str, Floats] = {}
    parts = []
    for language in OTHER_LANGUAGES:
        lines = read([f"talk/{language}"])
        held = _held_out(lines)
        truth, may_say = labels_of(lines).types, sayable(lines)
        scales = fit_scales(held, truth, may_say)
        parts.append((scales.probabilities(held, may_say), truth, may_say))
        weights, bias = _fit(lines)
        weights[:, : len(TYPES)] *= scales.scale
        bias[: len(TYPES)] = bias[: len(TYPES)] * scales.scale + scales.shift
        arrays[f"{language}_weights"] = weights.astype(np.float16)
        arrays[f"{language}_bias"] = bias.astype(np.float32)
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(WEIGHTS / "others.npz", allow_pickle=False, **arrays)
    chances, truth, may_say = (np.concatenate(each) for each in zip(*parts, strict=True))
    silent = merge.probabilities(chances, np.zeros_like(truth), may_say)
    thresholds = in_terms_of(chances, silent, best_thresholds(silent, truth))
    describe(
        "others", ("others.npz",), merge, thresholds, FLOOR, rule_ids(),
        {"languages": OTHER_LANGUAGES, "buckets": BUCKETS},
    )  # fmt: skip
    print("other languages, held-out talk: micro-F1 of the n-grams alone")
    for language, (own, known, _) in zip(OTHER_LANGUAGES, parts, strict=True):
        print(f"  {language}: {micro_f1(known, own >= thresholds):.3f}")


def _held_out(lines: Sequence[Line]) -> Floats:
    """(lines, 22): scores by models that had not seen the line."""
    scores = np.zeros((len(lines), len(TYPES) + len(SUBTYPES)), dtype=np.float32)
    inputs = _inputs(lines)
    for fold in range(FOLDS):
        rest = [line for place, line in enumerate(lines) if place % FOLDS != fold]
        weights, bias = _fit(rest)
        rows = np.arange(fold, len(lines), FOLDS)
        scores[rows] = inputs[rows] @ weights + bias
    return scores


def _fit(lines: Sequence[Line]) -> tuple[Floats, Floats]:
    """Weights (buckets, 22) and bias (22)."""
    labels, inputs = labels_of(lines), _inputs(lines)
    weights = np.zeros((BUCKETS, len(TYPES) + len(SUBTYPES)), dtype=np.float32)
    bias = np.full(len(TYPES) + len(SUBTYPES), NEVER, dtype=np.float32)
    objections = labels.subtypes.any(axis=1)
    for place in range(len(TYPES) + len(SUBTYPES)):
        is_type = place < len(TYPES)
        truth = labels.types[:, place] if is_type else labels.subtypes[objections, place - len(TYPES)]
        if 0 < truth.sum() < len(truth):
            model = LogisticRegression(
                C=STRENGTH, class_weight="balanced" if is_type else None, max_iter=1000
            )
            model.fit(inputs if is_type else inputs[objections], truth)
            weights[:, place], bias[place] = model.coef_[0], model.intercept_[0]
    return weights, bias


def _inputs(lines: Sequence[Line]) -> csr_matrix:
    found = [features(line.utterance, BUCKETS) for line in lines]
    starts = np.cumsum([0, *(len(places) for places, _ in found)])
    places = np.concatenate([places for places, _ in found])
    values = np.concatenate([values for _, values in found])
    return csr_matrix((values, places, starts), shape=(len(lines), BUCKETS))
