"""Fits the network to talk, and asks it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from app.schemas.utterance import Utterance
from app.services.reading.pairs import PairEncoder, Window
from training.moments.network import ReaderNetwork, new_network
from training.moments.noise import as_heard
from training.moments.talk import SENTIMENTS, SUBTYPES, TYPES, UNJUDGED, Floats, Line, labels_of

_BORDERS = (len(TYPES), len(TYPES) + len(SUBTYPES))
_SORTED_AT_ONCE = 16
_ASKED_AT_ONCE = 64


@dataclass(frozen=True)
class Recipe:
    """How it is trained. Shares: of lines heard badly, without their role, without the turn before."""

    epochs: int = 6
    batch: int = 32
    rate: float = 1e-4
    rate_of_head: float = 1e-3
    decay: float = 0.05
    warm_up: float = 0.1
    heard: float = 0.3
    without_role: float = 0.15
    without_before: float = 0.15
    longest: int = 96
    longest_before: int = 28


def fit(lines: Sequence[Line], base: Path, recipe: Recipe, seed: int) -> ReaderNetwork:
    """A network fitted to ``lines``; the same one each time on the same machine."""
    torch.manual_seed(seed)
    rng = Random(seed)
    network = new_network(base)
    encoder = PairEncoder(base / "vocab.txt", recipe.longest, recipe.longest_before)
    labels = [torch.from_numpy(each) for each in vars(labels_of(lines)).values()]
    optimizer = _optimizer(network, recipe)
    steps = math.ceil(len(lines) / recipe.batch) * recipe.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps, recipe.warm_up))
    for epoch in range(recipe.epochs):
        network.train()
        started, total = time.monotonic(), 0.0
        windows = [encoder.windows(_varied(line.utterance, recipe, rng))[0] for line in lines]
        for chosen, table in _shuffled(windows, recipe.batch, rng):
            with torch.autocast("cpu", torch.bfloat16):
                scores = network(*table)
            loss = _loss(scores, *(each[chosen] for each in labels))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item() * len(chosen)
        print(
            f"  epoch {epoch + 1}: loss {total / len(lines):.3f}, {time.monotonic() - started:.0f} s",
            flush=True,
        )
    return network.eval()


def ask(network: ReaderNetwork, utterances: Sequence[Utterance], base: Path, recipe: Recipe) -> Floats:
    """(utterances, 25): the scores of each; the first window of a long one."""
    encoder = PairEncoder(base / "vocab.txt", recipe.longest, recipe.longest_before)
    windows = [encoder.windows(utterance)[0] for utterance in utterances]
    order = sorted(range(len(windows)), key=lambda place: len(windows[place].ids))
    scores = np.zeros((len(windows), _BORDERS[1] + len(SENTIMENTS)), dtype=np.float32)
    network.eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for start in range(0, len(order), _ASKED_AT_ONCE):
            chosen = order[start : start + _ASKED_AT_ONCE]
            scores[chosen] = network(*_table([windows[place] for place in chosen])).float().numpy()
    return scores


def _optimizer(network: ReaderNetwork, recipe: Recipe) -> torch.optim.Optimizer:
    decayed, plain, head = [], [], []
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        if not name.startswith("bert."):
            head.append(parameter)
        else:
            (plain if "bias" in name or "LayerNorm" in name else decayed).append(parameter)
    groups = [
        {"params": decayed, "lr": recipe.rate, "weight_decay": recipe.decay},
        {"params": plain, "lr": recipe.rate, "weight_decay": 0.0},
        {"params": head, "lr": recipe.rate_of_head, "weight_decay": 0.01},
    ]
    return torch.optim.AdamW(groups, fused=True)


def _rate(step: int, steps: int, warm_up: float) -> float:
    return min((step + 1) / (warm_up * steps), max(0.0, (steps - step) / ((1 - warm_up) * steps)))


def _loss(scores: Tensor, types: Tensor, subtypes: Tensor, sentiments: Tensor) -> Tensor:
    """Of types each for itself, of subtypes where there is an objection, of sentiments."""
    border, end = _BORDERS
    loss = (
        functional.binary_cross_entropy_with_logits(scores[:, :border], types, reduction="none").sum(1).mean()
    )
    if (sentiments != UNJUDGED).any():
        loss = loss + functional.cross_entropy(
            scores[:, end:], sentiments, label_smoothing=0.05, ignore_index=UNJUDGED
        )
    objections = subtypes.sum(1) > 0
    if objections.any():
        wanted = subtypes[objections] / subtypes[objections].sum(1, keepdim=True)
        said = scores[objections, border:end].log_softmax(1)
        loss = loss - (wanted * said).sum() / len(scores)
    return loss


def _varied(utterance: Utterance, recipe: Recipe, rng: Random) -> Utterance:
    if rng.random() < recipe.without_role:
        utterance = replace(utterance, role="unknown")
    if rng.random() < recipe.without_before:
        utterance = replace(utterance, before=None)
    return as_heard(utterance, rng) if rng.random() < recipe.heard else utterance


def _shuffled(
    windows: Sequence[Window], size: int, rng: Random
) -> Iterator[tuple[list[int], tuple[Tensor, ...]]]:
    """Batches of windows of like length, in random order, each with the places of its windows."""
    places = list(range(len(windows)))
    rng.shuffle(places)
    batches: list[list[int]] = []
    for start in range(0, len(places), size * _SORTED_AT_ONCE):
        near = sorted(
            places[start : start + size * _SORTED_AT_ONCE], key=lambda place: len(windows[place].ids)
        )
        batches += [near[at : at + size] for at in range(0, len(near), size)]
    rng.shuffle(batches)
    for batch in batches:
        yield batch, _table([windows[place] for place in batch])


def _table(windows: Sequence[Window]) -> tuple[Tensor, Tensor, Tensor]:
    """Pieces, which of them are there, and of which part each is: (windows, pieces), padded with 0."""
    shape = (len(windows), max(len(window.ids) for window in windows))
    ids, mask, kinds = (torch.zeros(shape, dtype=torch.int64) for _ in range(3))
    for row, window in enumerate(windows):
        length = len(window.ids)
        ids[row, :length] = torch.tensor(window.ids)
        kinds[row, :length] = torch.tensor(window.kinds)
        mask[row, :length] = 1
    return ids, mask, kinds
