"""Trains the reader of moments and sentiment: `make train`.

Three folds of files are held out in turn, to learn how far the network can be believed on talk of other
industries and how much a rule adds; then it is trained on all of the talk. The development split is never
looked at here: `python -m bench.moments` reports on it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from training.moments import others
from training.moments.base import base_model
from training.moments.calibrate import (
    FLOOR,
    Merge,
    best_thresholds,
    fit_merge,
    fit_scales,
    in_terms_of,
    macro_f1,
    micro_f1,
)
from training.moments.export import describe, reader_facts, write_network
from training.moments.fit import Recipe, ask, fit
from training.moments.rules import confidences, rule_ids
from training.moments.talk import (
    ENGLISH,
    FOLDS,
    SENTIMENTS,
    TYPES,
    Floats,
    Line,
    labels_of,
    read,
    read_file,
    sayable,
)

SEED = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--build", type=Path, default=Path("build/moments"), help="a folder for what is in between"
    )
    parser.add_argument(
        "--reviews", type=Path, help="verdicts of reviewers, by `python -m app export-reviews`"
    )
    parser.add_argument("--merge-only", action="store_true", help="weigh the rules anew; train nothing")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    started = time.monotonic()
    chosen.build.mkdir(parents=True, exist_ok=True)
    held_out = chosen.build / "held_out.npy"
    recipe = Recipe()
    lines = [line for fold in FOLDS for line in read(fold)]
    if not chosen.merge_only:
        reviewed = _english(chosen.reviews)
        base = base_model(chosen.build)
        np.save(held_out, cross_validate(reviewed, base, recipe))
        print(f"all of the talk, {len(lines) + len(reviewed)} lines", flush=True)
        network = fit([*read(ENGLISH), *reviewed], base, recipe, SEED)
        torch.save(network.state_dict(), chosen.build / "network.pt")
        write_network(network, fit_scales(np.load(held_out), labels_of(lines).types, sayable(lines)), base)
    others.train(weigh(lines, np.load(held_out), recipe))
    print(f"done in {(time.monotonic() - started) / 60:.0f} minutes; next: python -m bench.moments")


def _english(reviews: Path | None) -> list[Line]:
    """Verdicts on English calls; those on others are too few to learn from by themselves."""
    return [line for line in read_file(reviews) if line.language is None] if reviews else []


def cross_validate(reviewed: Sequence[Line], base: Path, recipe: Recipe) -> Floats:
    """(lines, 25), in the order of the folds: scores by networks that had not seen the line's fold."""
    scores = []
    for number, held in enumerate(FOLDS):
        rest = [line for fold in FOLDS if fold is not held for line in read(fold)]
        print(f"fold {number + 1} of {len(FOLDS)}: {len(rest)} lines, {', '.join(held)} held out", flush=True)
        network = fit([*rest, *reviewed], base, recipe, SEED + number)
        scores.append(ask(network, [line.utterance for line in read(held)], base, recipe))
    return np.concatenate(scores)


def weigh(lines: Sequence[Line], scores: Floats, recipe: Recipe) -> Merge:
    """Thresholds, and the worth of rules beside the network, which is given back; writes `reader.json` and
    prints the figures."""
    labels, may_say = labels_of(lines), sayable(lines)
    chances = fit_scales(scores, labels.types, may_say).probabilities(scores, may_say)
    rules = confidences(lines)
    merge = fit_merge(chances, rules, labels.types, may_say)
    merged = merge.probabilities(chances, rules, may_say)
    silent = merge.probabilities(chances, np.zeros_like(rules), may_say)
    thresholds = in_terms_of(chances, silent, best_thresholds(merged, labels.types))
    describe(
        "reader", ("reader.onnx", "vocab.txt"), merge, thresholds, FLOOR, rule_ids(),
        reader_facts(recipe.longest, recipe.longest_before),
    )  # fmt: skip
    said = np.where(rules > 0, merged >= FLOOR, chances >= thresholds)
    truth = labels.types
    print("held-out talk           micro-F1  macro-F1")
    for name, found in (
        ("rules alone", rules >= 0.5),
        ("classifier alone", chances >= thresholds),
        ("both, as listed", said),
        ("both, from 0.5", merged >= 0.5),
    ):
        print(f"  {name:20s}  {micro_f1(truth, found):.3f}     {macro_f1(truth, found):.3f}")
    objections = labels.subtypes.any(axis=1)
    subtypes = scores[:, len(TYPES) : -len(SENTIMENTS)].argmax(axis=1)
    right = labels.subtypes[np.arange(len(lines)), subtypes][objections].mean()
    sentiment = (scores[:, -len(SENTIMENTS) :].argmax(axis=1) == labels.sentiments).mean()
    print(f"  subtype of an objection, accuracy: {right:.3f}; sentiment, accuracy: {sentiment:.3f}")
    return merge


if __name__ == "__main__":
    main()
