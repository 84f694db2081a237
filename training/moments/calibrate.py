"""Makes probabilities of scores that were given to unseen talk, and weighs rules against them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from training.moments.talk import TYPES, Floats

LEAST = 1e-4
"""Probabilities are kept this far from 0 and 1 before their log odds are taken, as the service does."""
_TRUST_IN_PRIOR = 4.0
FLOOR = 0.3
"""Merged probability under which a moment that a rule found is not listed: listing it would be wrong oftener
than F1 can bear."""
THRESHOLDS = np.arange(0.25, 0.651, 0.025)
_SURENESS = 30.0
"""How many lines' worth of trust the common threshold has against that of one type."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Scales:
    """Of each type: probability = sigmoid(scale * score + shift) (Platt 1999)."""

    scale: Doubles
    shift: Doubles

    def probabilities(self, scores: Floats, sayable: Floats) -> Doubles:
        chances: Doubles = sigmoid(self.scale * scores[:, : len(TYPES)] + self.shift) * sayable
        return chances


@dataclass(frozen=True)
class Merge:
    """Of each type (a, b, c, d): logit(p) = a + b logit(p of the network) + c (confidence of the rule, else
    0) + d [a rule found it]. ``weights`` has shape (14, 4)."""

    weights: Doubles

    def probabilities(self, chances: Doubles, rules: Floats, sayable: Floats) -> Doubles:
        a, b, c, d = (column[None, :] for column in self.weights.T)
        merged: Doubles = sigmoid(a + b * logit(chances) + c * rules + d * (rules > 0)) * sayable
        return merged


def fit_scales(scores: Floats, truth: Floats, sayable: Floats) -> Scales:
    """By what ``scores`` (lines, 25) said of lines that whoever gave them had not seen."""
    fitted = [
        _regress(scores[rows, place][:, None], truth[rows, place], np.array([0.0, 1.0]))
        for place, rows in enumerate(sayable.astype(bool).T)
    ]
    return Scales(np.array([each[1] for each in fitted]), np.array([each[0] for each in fitted]))


def fit_merge(chances: Doubles, rules: Floats, truth: Floats, sayable: Floats) -> Merge:
    """A rule that finds something never makes it less likely: c and d are at least 0."""
    prior = np.array([0.0, 1.0, 0.0, 0.0])
    fitted = []
    for place, rows in enumerate(sayable.astype(bool).T):
        said = rules[rows, place]
        columns = np.stack([logit(chances[rows, place]), said, said > 0], axis=1)
        bounds = [(None, None), (0.05, None), (0.0, None), (0.0, None)]
        fitted.append(_regress(columns, truth[rows, place], prior, bounds))
    return Merge(np.array(fitted))


def best_thresholds(chances: Doubles, truth: Floats) -> Doubles:
    """The probability of each type from which saying it makes F1 highest, drawn to the one that is best for
    all types together, the more the rarer the type."""
    common = max(THRESHOLDS, key=lambda at: micro_f1(truth, chances >= at))
    chosen = []
    for place in range(len(TYPES)):
        positives = truth[:, place].sum()
        own = max(THRESHOLDS, key=lambda at: micro_f1(truth[:, [place]], chances[:, [place]] >= at))
        chosen.append((positives * own + _SURENESS * common) / (positives + _SURENESS))
    return np.array(chosen)


def in_terms_of(chances: Doubles, merged: Doubles, thresholds: Doubles) -> Doubles:
    """The network's own probability of each type at which ``merged`` (what becomes of it where no rule has
    spoken) reaches ``thresholds``."""
    found = []
    for place, threshold in enumerate(thresholds):
        reached = chances[merged[:, place] >= threshold, place]
        found.append(float(reached.min()) if len(reached) else 1.0)
    return np.array(found)


def micro_f1(truth: Floats, said: NDArray[np.bool_]) -> float:
    """2 TP / (2 TP + FP + FN), over all types together."""
    right = float((truth * said).sum())
    total = float(truth.sum() + said.sum())
    return 2 * right / total if total else 0.0


def macro_f1(truth: Floats, said: NDArray[np.bool_]) -> float:
    """The mean of the types' F1."""
    return float(np.mean([micro_f1(truth[:, [place]], said[:, [place]]) for place in range(truth.shape[1])]))


def sigmoid(value: Doubles) -> Doubles:
    return 1 / (1 + np.exp(-np.clip(value, -30, 30)))


def logit(chance: Doubles) -> Doubles:
    bounded = np.clip(chance, LEAST, 1 - LEAST)
    result: Doubles = np.log(bounded / (1 - bounded))
    return result


def _regress(
    columns: NDArray[np.floating],
    truth: Floats,
    prior: Doubles,
    bounds: list[tuple[float | None, float | None]] | None = None,
) -> Doubles:
    """Logistic regression with a constant first, drawn to ``prior``."""
    inputs = np.concatenate([np.ones((len(columns), 1)), columns], axis=1)

    def loss(weights: Doubles) -> tuple[float, Doubles]:
        chances = np.clip(sigmoid(inputs @ weights), 1e-9, 1 - 1e-9)
        away = weights - prior
        value = -(truth * np.log(chances) + (1 - truth) * np.log(1 - chances)).sum()
        slope = inputs.T @ (chances - truth)
        return value + _TRUST_IN_PRIOR / 2 * away @ away, slope + _TRUST_IN_PRIOR * away

    found: Doubles = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=bounds).x
    return found
