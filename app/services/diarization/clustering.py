"""Groups voices by speaker, and decides how many speakers there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Labels = NDArray[np.int64]

MOST_CLUSTERED = 2000
"""More windows than this are not compared with one another: those spread evenly over the call are."""

# How alike (cosine) the mean voices of two groups may be to count as two speakers, by the seconds that the
# smaller one speaks: the less is heard, the further apart two means of one voice fall by chance. Halves of
# one reader's minute lie at 0.93 to 0.95, two agents of one sex on one phone line at 0.85 to 0.89. Two are
# expected in a call, so that a third must be unmistakable.
TWO_ALIKE, TWO_SHORT = 0.92, 0.4
MORE_ALIKE, MORE_SHORT = 0.85, 0.3
_REFINEMENTS = 20


def find_speakers(voices: Floats, speech_s: float, most: int, count: int | None = None) -> Floats:
    """Mean voice of each speaker, unit length, shape (speakers, size).

    ``voices``: of unit length, shape (windows, size), at least one, spread over ``speech_s`` seconds of
    speech. ``count`` is obeyed while there are as many windows; None finds it, up to ``most``.
    """
    if count is not None:
        count = min(count, len(voices))
        return _centroids(voices, refine(voices, ward(voices, count)[count - 1]), count)
    divisions = ward(voices, min(most, max(1, len(voices) // 2)))
    for number in range(len(divisions), 1, -1):
        labels = refine(voices, divisions[number - 1])
        centroids = _centroids(voices, labels, number)
        if _are_apart(centroids, labels, speech_s):
            return centroids
    return _centroids(voices, divisions[0], 1)


def spread(count: int, most: int = MOST_CLUSTERED) -> Labels:
    """Indices of at most ``most`` of ``count`` things, evenly over all."""
    import numpy as np

    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def ward(points: Floats, most: int) -> list[Labels]:
    """Divisions into 1, 2 … ``most`` groups, each of shape (n,), by Ward's criterion.

    Nearest-neighbour chain (F. Murtagh, 1983): the exact hierarchy in quadratic time.
    """
    import numpy as np

    squares = np.sum(np.square(points, dtype=np.float64), axis=1) / 2.0
    apart = (points @ points.T).astype(np.float64)
    np.subtract(squares, apart, out=apart)
    apart += squares[:, None]
    np.fill_diagonal(apart, np.inf)
    sizes = np.ones(len(points))
    merges: list[tuple[float, int, int]] = []
    chain: list[int] = []
    while len(merges) < len(points) - 1:
        if not chain:
            chain.append(int(np.argmax(sizes > 0)))
        last = chain[-1]
        nearest = int(np.argmin(apart[last]))
        if len(chain) > 1 and apart[last, chain[-2]] <= apart[last, nearest]:
            chain.pop()
            merges.append((float(apart[last, chain[-1]]), *_merge(apart, sizes, chain.pop(), last)))
        else:
            chain.append(nearest)
    merges.sort(key=lambda merge: merge[0])
    return [_division(len(points), merges[: len(points) - number]) for number in range(1, most + 1)]


def refine(voices: Floats, labels: Labels) -> Labels:
    """Move each voice to the group whose mean voice it is most like, until none moves. None is emptied."""
    import numpy as np

    number = int(labels.max()) + 1
    for _ in range(_REFINEMENTS):
        moved = np.argmax(voices @ _centroids(voices, labels, number).T, axis=1)
        if len(np.unique(moved)) < number or np.array_equal(moved, labels):
            break
        labels = moved
    return labels


def _merge(apart: NDArray[np.float64], sizes: NDArray[np.float64], kept: int, gone: int) -> tuple[int, int]:
    """Lance and Williams' update for Ward's criterion; row and column ``gone`` are closed."""
    import numpy as np

    total = sizes + sizes[kept] + sizes[gone]
    joined = (
        (sizes + sizes[kept]) * apart[kept] + (sizes + sizes[gone]) * apart[gone] - sizes * apart[kept, gone]
    ) / total
    joined[[kept, gone]] = np.inf
    apart[kept], apart[:, kept] = joined, joined
    apart[gone], apart[:, gone] = np.inf, np.inf
    sizes[kept] += sizes[gone]
    sizes[gone] = 0.0
    return kept, gone


def _division(count: int, merges: list[tuple[float, int, int]]) -> Labels:
    import numpy as np

    parents = list(range(count))

    def root(index: int) -> int:
        while parents[index] != index:
            index = parents[index]
        return index

    for _, kept, gone in merges:
        parents[root(gone)] = root(kept)
    return np.unique([root(index) for index in range(count)], return_inverse=True)[1].astype(np.int64)


def _centroids(voices: Floats, labels: Labels, number: int) -> Floats:
    import numpy as np

    means = np.stack([voices[labels == group].mean(axis=0) for group in range(number)])
    centroids: Floats = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    return centroids


def _are_apart(centroids: Floats, labels: Labels, speech_s: float) -> bool:
    import numpy as np

    number = len(centroids)
    alike, short = (TWO_ALIKE, TWO_SHORT) if number == 2 else (MORE_ALIKE, MORE_SHORT)
    spoken_s = np.bincount(labels, minlength=number) / len(labels) * speech_s
    limits = alike - short / np.minimum(spoken_s[:, None], spoken_s)
    pairs = np.triu_indices(number, 1)
    return bool(np.all((centroids @ centroids.T)[pairs] < limits[pairs]))
