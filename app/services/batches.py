"""Which texts go through a model together, and as what table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BATCH_TEXTS = 32
BATCH_TOKENS = 1024
"""Bounds the memory of a batch of long texts: attention grows with the square of their length."""


def plan(lengths: Sequence[int], texts: int = BATCH_TEXTS, tokens: int = BATCH_TOKENS) -> list[list[int]]:
    """Indices of ``lengths`` (tokens of each text) in batches, the shortest texts first.

    Neighbours are alike in length, so that little is padded. A batch holds at most ``texts`` of them, and at
    most ``tokens`` in all once each is padded to the longest; a longer text goes by itself.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda each: lengths[each]):
        last = batches[-1] if batches else []
        if last and len(last) < texts and (len(last) + 1) * lengths[index] <= tokens:
            last.append(index)
        else:
            batches.append([index])
    return batches


def pad(rows: Sequence[Sequence[int]], filling: int, *, from_left: bool) -> NDArray[np.int64]:
    """One table of shape (rows, longest row), ``filling`` standing where a row is shorter."""
    import numpy as np

    longest = max(map(len, rows))
    table = np.full((len(rows), longest), filling, dtype=np.int64)
    for place, row in enumerate(rows):
        start = longest - len(row) if from_left else 0
        table[place, start : start + len(row)] = row
    return table
