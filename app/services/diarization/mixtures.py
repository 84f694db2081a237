"""Gaussian models of what a frame or a window sounds like, fitted to one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Labels = NDArray[np.int64]

MOST_FITTED = 3000
"""Frames that a mixture is fitted to: more change it little."""
FRAMES_PER_COMPONENT = 50
_PRIOR_FRAMES = 20.0
"""Each variance is drawn towards that of all frames as if this many frames had it."""
_STARTING_STEPS, _STEPS = 10, 12
_BLOCK = 20_000
_LEAST_KNOWN = 3
"""Windows of a speaker below which its place is not estimated."""
_FARTHEST = 8.0


@dataclass(frozen=True)
class Mixture:
    """Diagonal Gaussians: ``means`` and ``variances`` (components, size), ``shares`` (components,)."""

    means: Floats
    variances: Floats
    shares: Floats

    def log_likelihood(self, frames: NDArray[np.floating]) -> Floats:
        """Of each of ``frames``, shape (n, size); worked on in blocks. Shape (n,)."""
        import numpy as np

        found = np.zeros(len(frames), dtype=np.float32)
        for first in range(0, len(frames), _BLOCK):
            block = frames[first : first + _BLOCK].astype(np.float32)
            found[first : first + _BLOCK] = np.logaddexp.reduce(self._joint(block), axis=1)
        return found

    def _joint(self, frames: Floats) -> Floats:
        import numpy as np

        precisions = 1.0 / self.variances
        distance = (
            np.square(frames) @ precisions.T
            - 2.0 * frames @ (self.means * precisions).T
            + np.sum(np.square(self.means) * precisions, axis=1)
        )
        normaliser = np.sum(np.log(2.0 * np.pi * self.variances), axis=1)
        joint: Floats = np.log(self.shares) - 0.5 * (distance + normaliser)
        return joint


def fit_mixture(frames: NDArray[np.floating], most_components: int) -> Mixture:
    """Fit by expectation and maximisation; the same frames, shape (n, size), n > 0, give the same mixture."""
    import numpy as np

    some: Floats = frames[:: -(-len(frames) // MOST_FITTED)].astype(np.float32)
    number = max(1, min(most_components, len(some) // FRAMES_PER_COMPONENT))
    overall = some.var(axis=0) + 1e-3
    mixture = Mixture(
        _starting_means(some, number),
        np.repeat(overall[None], number, axis=0),
        np.full(number, 1.0 / number, dtype=np.float32),
    )
    for _ in range(_STEPS):
        joint = mixture._joint(some)
        belongs = np.exp(joint - np.logaddexp.reduce(joint, axis=1)[:, None])
        counts = belongs.sum(axis=0)[:, None] + 1e-6
        means = belongs.T @ some / counts
        spread = np.maximum(belongs.T @ np.square(some) / counts - np.square(means), 0.0)
        variances = (counts * spread + _PRIOR_FRAMES * overall) / (counts + _PRIOR_FRAMES)
        mixture = Mixture(means, variances, counts[:, 0] / counts.sum())
    return mixture


def _starting_means(frames: Floats, number: int) -> Floats:
    """K-means from frames that lie as far from one another as can be."""
    import numpy as np

    chosen = [frames[np.argmax(np.sum(np.square(frames - frames.mean(axis=0)), axis=1))]]
    nearest = np.full(len(frames), np.inf)
    while len(chosen) < number:
        nearest = np.minimum(nearest, np.sum(np.square(frames - chosen[-1]), axis=1))
        chosen.append(frames[np.argmax(nearest)])
    means = np.stack(chosen)
    for _ in range(_STARTING_STEPS):
        distance = np.sum(np.square(means), axis=1) - 2.0 * frames @ means.T
        labels = np.argmin(distance, axis=1)
        members = [frames[labels == index] for index in range(number)]
        means = np.stack(
            [own.mean(axis=0) if len(own) else mean for own, mean in zip(members, means, strict=True)]
        )
    return means


def voice_scores(voices: Floats, labels: Labels, speakers: int) -> Floats:
    """How well each of ``voices``, shape (n, size), fits each speaker: log-likelihoods (n, speakers).

    Linear discriminant: one Gaussian for each speaker, with a common covariance, in the space that the
    speakers' means span. ``labels``: the speaker of each voice, -1 where it is not known for sure. The best
    speaker of a voice scores 0, no speaker less than -8.
    """
    import numpy as np

    overall = voices.mean(axis=0)
    own = [voices[labels == speaker] for speaker in range(speakers)]
    means = np.stack([some.mean(axis=0) if len(some) >= _LEAST_KNOWN else overall for some in own])
    _, _, axes = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    axes = axes[: max(1, speakers - 1)].T
    places, centres = voices @ axes, means @ axes
    known = labels >= 0
    errors = (places[known] - centres[labels[known]]).astype(np.float64)
    scatter = errors.T @ errors / max(1, len(errors)) + 1e-4 * np.eye(axes.shape[1])
    offsets = (places[:, None] - centres[None]).astype(np.float64)
    scores = -0.5 * np.einsum("nki,ij,nkj->nk", offsets, np.linalg.inv(scatter), offsets)
    best = scores.max(axis=1, keepdims=True)
    bounded: Floats = np.maximum(scores - best, -_FARTHEST).astype(np.float32)
    return bounded
