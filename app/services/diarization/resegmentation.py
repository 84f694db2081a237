"""Who speaks in each 10 ms of speech, also two at once: models of a call's voices, and the best path."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from app.services.diarization.activity import loud_level
from app.services.diarization.embedding import LONG, SHORT
from app.services.diarization.mel import BANDS
from app.services.diarization.mixtures import fit_mixture, voice_scores

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from app.services.diarization.listening import Speech

    Floats = NDArray[np.float32]
    Labels = NDArray[np.int64]

ROUNDS = 3
"""Models are made of the last round's labels; overlaps are looked for from the second round on."""
COMPONENTS = 16
CEPSTRA = 19
"""Cepstral coefficients of a frame's spectrum, without the one that tells how loud it is."""
FRAME_WEIGHT, WINDOW_WEIGHT = 0.3, 0.1
"""Neighbouring frames, and still more so windows, repeat one another: each counts as part of a witness."""
FRAME_FLOOR = -10.0
"""No single frame speaks more against a speaker than this."""
CHANGE_COST = 6.0
"""Log-likelihood it takes for one speaker to begin or to end; twice that for one to follow another."""
OVERLAP_COST = 0.15
"""Log-likelihood that each frame of overlap costs: two at once are rarer than one."""
OVERLAP_FLOOR = -1.5
"""A window tells who speaks, and little of whether there are two: it is no worse than this for an overlap."""
MIXED_FRAMES = 4000
MODELLED_DB = 30.0
"""Frames further below a speaker's loud ones teach and tell nothing about the voice."""
LEAST_FRAMES = 50
_SURE_SHARE, _KNOWN_SHARE = 0.95, 0.5
_UNHEARD = -50.0
_BLOCK = 20_000
"""Frames worked on at once: whole hours in single precision would take the memory that half spares."""


@dataclass(frozen=True)
class Path:
    """``states``: for each frame of speech, the index in ``sets`` of the speakers heard in it."""

    states: Labels
    sets: tuple[tuple[int, ...], ...]

    def speaks(self, speaker: int) -> NDArray[np.bool_]:
        import numpy as np

        return np.isin(self.states, [index for index, some in enumerate(self.sets) if speaker in some])

    def speaks_alone(self, speaker: int) -> NDArray[np.bool_]:
        alone: NDArray[np.bool_] = self.states == self.sets.index((speaker,))
        return alone


def resegment(speech: Speech, centroids: Floats) -> Path:
    """Find the speakers of each frame. Every row of ``centroids``, shape (speakers, size), is heard in some.

    Each speaker is a mixture over cepstra and a Gaussian over voices; each pair of speakers is a mixture over
    sums of their spectra, drawn from frames in which one of them speaks alone. Viterbi finds the path.
    """
    import numpy as np

    speakers = len(centroids)
    path = Path(_first_labels(speech, centroids), tuple((speaker,) for speaker in range(speakers)))
    if speakers == 1:
        return path
    cepstra = _cepstra(speech.log_mel)
    for number in range(ROUNDS):
        pairs = tuple(combinations(range(speakers), 2)) if number else ()
        sets = (*((speaker,) for speaker in range(speakers)), *pairs)
        labels = _modelled(speech, path, speakers)
        scores = _window_scores(speech, labels, sets, speakers)
        _add_frame_scores(scores, speech, cepstra, labels, sets)
        scores[:, speakers:] -= OVERLAP_COST
        found = Path(best_path(scores, _change_costs(sets)), sets)
        if not all(np.any(found.speaks_alone(speaker)) for speaker in range(speakers)):
            break
        path = found
    return path


def best_path(scores: Floats, costs: Floats) -> Labels:
    """States of the path with the highest sum of ``scores`` (n, states) less the ``costs`` of each change."""
    import numpy as np

    count, states = scores.shape
    before = np.zeros((count, states), dtype=np.int8)
    reached = scores[0].astype(np.float64)
    columns = np.arange(states)
    for at in range(1, count):
        arriving = reached[:, None] - costs
        before[at] = best = arriving.argmax(axis=0)
        reached = arriving[best, columns] + scores[at]
    path = np.zeros(count, dtype=np.int64)
    state = int(reached.argmax())
    for at in range(count - 1, -1, -1):
        path[at] = state
        state = int(before[at, state])
    return path


def _first_labels(speech: Speech, centroids: Floats) -> Labels:
    """The speaker that the windows over each frame are most like together; each speaker gets some frames."""
    import numpy as np

    votes = np.zeros((len(speech.frames) + 1, len(centroids)))
    for length, size in enumerate((SHORT, LONG)):
        counts = speech.fits[:, length] if size == LONG else np.ones(len(speech.starts), dtype=bool)
        likeness = speech.voices[length, counts] @ centroids.T
        likeness -= likeness.max(axis=1, keepdims=True)
        first, end = _positions(speech, size)
        np.add.at(votes, first[counts], likeness)
        np.subtract.at(votes, end[counts], likeness)
    labels: Labels = np.argmax(np.cumsum(votes, axis=0)[:-1], axis=1)
    likeness = speech.voices[0] @ centroids.T
    first, _ = _positions(speech, SHORT)
    for speaker in np.setdiff1d(np.arange(len(centroids)), labels):
        others = np.delete(likeness, speaker, axis=1).max(axis=1)
        at = first[np.argmax(likeness[:, speaker] - others)]
        labels[at : at + SHORT // 2] = speaker
    return labels


def _positions(speech: Speech, size: int) -> tuple[Labels, Labels]:
    """First and past-the-last of the frames of speech that each window of ``size`` frames covers."""
    import numpy as np

    return (
        np.searchsorted(speech.frames, speech.starts),
        np.searchsorted(speech.frames, speech.starts + size),
    )


def _modelled(speech: Speech, path: Path, speakers: int) -> Labels:
    """The speaker of each frame that is loud enough to learn from and has one alone, else -1."""
    import numpy as np

    labels = np.full(len(speech.frames), -1, dtype=np.int64)
    for speaker in range(speakers):
        alone = path.speaks_alone(speaker)
        if np.any(alone):
            heard = speech.levels > loud_level(speech.levels[alone]) * 10.0 ** (-MODELLED_DB / 20.0)
            labels[alone & heard] = speaker
    return labels


def _window_scores(
    speech: Speech, labels: Labels, sets: tuple[tuple[int, ...], ...], speakers: int
) -> Floats:
    """What the windows around each frame say of each set of speakers, shape (frames, sets)."""
    import numpy as np

    counts = np.zeros((len(labels) + 1, speakers), dtype=np.int32)
    for speaker in range(speakers):
        np.cumsum(labels == speaker, out=counts[1:, speaker])
    scores = np.zeros((len(labels), len(sets)), dtype=np.float32)
    for length, size in enumerate((SHORT, LONG)):
        first, end = _positions(speech, size)
        heard = counts[end] - counts[first]
        known = heard.sum(axis=1)
        sure = (known >= _KNOWN_SHARE * size) & (heard.max(axis=1) >= _SURE_SHARE * known)
        own = voice_scores(speech.voices[length], np.where(sure, heard.argmax(axis=1), -1), speakers)
        used = speech.fits[:, length] if size == LONG else np.ones(len(own), dtype=bool)
        if not np.any(used):
            continue
        centres = speech.starts[used] + size / 2
        for index, some in enumerate(sets):
            score = own[used][:, list(some)].mean(axis=1)
            if len(some) > 1:
                score = np.maximum(score, OVERLAP_FLOOR)
            scores[:, index] += WINDOW_WEIGHT * np.interp(speech.frames, centres, score)
    return scores


def _add_frame_scores(
    scores: Floats,
    speech: Speech,
    cepstra: NDArray[np.float16],
    labels: Labels,
    sets: tuple[tuple[int, ...], ...],
) -> None:
    import numpy as np

    known = labels >= 0
    if not np.any(known):
        return
    taught = cepstra[np.flatnonzero(known)[:: -(-int(known.sum()) // _BLOCK)]].astype(np.float32)
    mean, deviation = taught.mean(axis=0), taught.std(axis=0) + 1e-3
    scaled = np.empty_like(cepstra)
    for block in _blocks(len(cepstra)):
        scaled[block] = (cepstra[block] - mean) / deviation
    likelihoods = np.full((len(labels), len(sets)), _UNHEARD, dtype=np.float32)
    own = [np.flatnonzero(labels == speaker) for speaker in range(labels.max() + 1)]
    chance = np.random.default_rng(0)
    for index, some in enumerate(sets):
        if any(speaker >= len(own) or len(own[speaker]) < LEAST_FRAMES for speaker in some):
            continue
        if len(some) == 1:
            lessons = scaled[own[some[0]]]
        else:
            drawn = [chance.choice(own[speaker], MIXED_FRAMES) for speaker in some]
            mixed = np.logaddexp(*(speech.log_mel[frames].astype(np.float32) for frames in drawn))
            lessons = (_cepstra(mixed) - mean) / deviation
        likelihoods[:, index] = fit_mixture(lessons, COMPONENTS).log_likelihood(scaled)
    likelihoods -= likelihoods.max(axis=1, keepdims=True)
    np.maximum(likelihoods, FRAME_FLOOR, out=likelihoods)
    quiet = speech.levels <= loud_level(speech.levels) * 10.0 ** (-MODELLED_DB / 20.0)
    likelihoods[quiet] = 0.0
    scores += FRAME_WEIGHT * likelihoods


def _cepstra(log_mel: NDArray[np.floating]) -> NDArray[np.float16]:
    """Cosine transform of log spectra, shape (n, 40), to coefficients 1 to 19, shape (n, 19)."""
    import numpy as np

    waves = np.outer(np.arange(1, CEPSTRA + 1), np.arange(BANDS) + 0.5) * np.pi / BANDS
    basis = (np.cos(waves) * np.sqrt(2.0 / BANDS)).astype(np.float32).T
    cepstra = np.empty((len(log_mel), CEPSTRA), dtype=np.float16)
    for block in _blocks(len(log_mel)):
        cepstra[block] = log_mel[block].astype(np.float32) @ basis
    return cepstra


def _blocks(count: int) -> Iterator[slice]:
    return (slice(first, first + _BLOCK) for first in range(0, count, _BLOCK))


def _change_costs(sets: tuple[tuple[int, ...], ...]) -> Floats:
    import numpy as np

    changes = [[len(set(one) ^ set(other)) for other in sets] for one in sets]
    return CHANGE_COST * np.array(changes, dtype=np.float32)
