"""Finds the stretches of a recording that hold speech, with the model that the silero-vad wheel carries."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.exceptions import StageFailed
from app.schemas.audio import SAMPLE_RATE, Audio, Span
from app.services.audio.windows import WINDOW_S

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

MODEL = Path("data", "silero_vad_16k_sequence.onnx")
FRAME = 512
"""Samples that the model judges at once (32 ms)."""
CONTEXT = 64
"""Samples before each frame that the model sees too."""
BLOCK_FRAMES = 256
"""Frames handed to the model in one go (8 s), each time without memory of what came before.

With its memory the model takes the first seconds of speech after a minute of hold music for music: of six
recordings laid behind seven kinds of sound it hears 91 % of what it hears of them alone, afresh 99.5 %.
Hours of audio need no more memory than minutes.
"""
LEAD_FRAMES = 31
"""Frames (one second) before a block that the model hears first, so that it begins within what goes on."""

# Levelling: phone lines carry one party 20 dB below the other. Without it the model hears 87 % of labelled
# speech at -20 dB and 44 % of a party 20 dB below the other; with it 98 % and 96 %, and still no noise.
LEVEL_STEP = 8
LEVEL_REACH = 31
"""Frames before and after over which the level is taken: one second each way."""
LEVEL_SHARE = 0.9
"""The level is that of the frame louder than this share of them: a click does not set it."""
TARGET_DB, MOST_GAIN_DB = -18.0, 36.0
FLOOR_DB = -75.0
"""Frames below it are digital silence and say nothing of the level."""

STARTS_AT, ENDS_BELOW = 0.4, 0.25
"""Probability that begins a stretch, and below which it ends."""
LEAST_SILENCE = round(0.1 * SAMPLE_RATE)
LEAST_SPEECH = round(0.1 * SAMPLE_RATE)
SHORTEST_ALONE = round(0.2 * SAMPLE_RATE)
"""What stands alone has to be as long: "two" and "oh" by themselves are heard for 0.26 s."""
LONELY = round(1.0 * SAMPLE_RATE)
PAD = round(0.15 * SAMPLE_RATE)
LEAST_GAP = round(0.2 * SAMPLE_RATE)
LONGEST = round(WINDOW_S * SAMPLE_RATE)
"""A stretch longer than an engine's window is cut, at its least speech-like place, so that no word is."""
CUT_SMOOTH_FRAMES = 5


class VoiceActivity:
    """Thread-safe; the same recording gives the same stretches, with any number of ``threads``."""

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._session: Any = None

    def load(self) -> None:
        """Bring the model into memory; a second call does nothing. Raises StageFailed without a model."""
        with self._lock:
            if self._session is None:
                self._session = _open_model()

    def detect(self, audio: Audio) -> tuple[Span, ...]:
        """Stretches of speech in order, at least 0.2 s apart (or touching, where a long one was cut).

        They begin and end on whole samples, lie inside the recording, and carry up to 0.15 s of what
        surrounds them. None for silence and noise.
        """
        if audio.sample_count == 0:
            return ()
        self.load()
        gains = _gains(_levels(audio))
        probabilities = self._probabilities(audio, gains)
        found = _without_lone(_stretches(probabilities, audio.sample_count))
        spoken = [
            part for stretch in _pad(found, audio.sample_count) for part in _cut(stretch, probabilities)
        ]
        return tuple(Span(start / SAMPLE_RATE, end / SAMPLE_RATE) for start, end in spoken)

    def _probabilities(self, audio: Audio, gains: Floats) -> Floats:
        """Probability of speech of each frame, shape (frames,)."""
        import numpy as np

        nothing = np.zeros((1, 1, 128), dtype=np.float32)

        def judge(begin: int) -> Floats:
            first, block = _block(audio, begin, LEAD_FRAMES)
            seen = np.empty((len(block), CONTEXT + FRAME), dtype=np.float32)
            frames = seen[:, CONTEXT:]
            np.multiply(block, _gain_of_samples(gains, first, len(block)), out=frames)
            np.clip(frames, -1.0, 1.0, out=frames)
            seen[0, :CONTEXT] = 0.0
            seen[1:, :CONTEXT] = frames[:-1, -CONTEXT:]
            (values,) = self._session.run(["speech_probs"], {"input": seen, "h": nothing, "c": nothing})
            own: Floats = values.reshape(-1)[begin - first :]
            return own

        with ThreadPoolExecutor(self._threads, thread_name_prefix="vad") as pool:
            return np.concatenate(list(pool.map(judge, _beginnings(audio))))


def _open_model() -> Any:
    # The model is opened straight from the wheel: importing silero_vad brings in torch, which takes seconds.
    spec = find_spec("silero_vad")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    path = next((Path(folder) / MODEL for folder in folders if (Path(folder) / MODEL).is_file()), None)
    if path is None:
        raise StageFailed("vad", "the silero-vad package does not carry its model; install it again")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])


def _beginnings(audio: Audio) -> range:
    """The first frame of each block."""
    return range(0, -(-audio.sample_count // FRAME), BLOCK_FRAMES)


def _block(audio: Audio, begin: int, lead: int = 0) -> tuple[int, Floats]:
    """Index of the first frame, and frames of shape (n, FRAME); the last one is filled up with silence.

    All blocks but the first begin with the last ``lead`` frames of the one before.
    """
    import numpy as np

    first = max(0, begin - lead)
    samples = audio.read_samples(first * FRAME, (begin - first + BLOCK_FRAMES) * FRAME)
    frames = np.zeros((-(-samples.size // FRAME), FRAME), dtype=np.float32)
    frames.reshape(-1)[: samples.size] = samples
    return first, frames


def _levels(audio: Audio) -> Floats:
    """Level of each frame in dB of full scale, shape (frames,)."""
    import numpy as np

    blocks = (_block(audio, begin)[1] for begin in _beginnings(audio))
    powers = [np.einsum("ij,ij->i", frames, frames) / FRAME for frames in blocks]
    return (10.0 * np.log10(np.concatenate(powers) + 1e-12)).astype(np.float32)


def _gains(levels: Floats) -> Floats:
    """Factor that brings the speech around each ``LEVEL_STEP``th frame to the target level."""
    import numpy as np

    padded = np.pad(levels, LEVEL_REACH, constant_values=-np.inf)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * LEVEL_REACH + 1)[::LEVEL_STEP]
    # In parts: all of the windows of a long call at once are eight times as large as its levels.
    return np.concatenate([
        _gain_for(around[first : first + BLOCK_FRAMES]) for first in range(0, len(around), BLOCK_FRAMES)
    ])  # fmt: skip


def _gain_for(around: Floats) -> Floats:
    """Factor for each row of levels."""
    import numpy as np

    ranked = np.sort(np.where(around > FLOOR_DB, around, -np.inf), axis=1)
    loud = np.sum(np.isfinite(ranked), axis=1)
    rank = ranked.shape[1] - loud + np.floor(LEVEL_SHARE * np.maximum(loud - 1, 0)).astype(int)
    level = np.take_along_axis(ranked, np.minimum(rank, ranked.shape[1] - 1)[:, None], axis=1)[:, 0]
    wanted = np.where(loud > 0, np.minimum(TARGET_DB - level, MOST_GAIN_DB), 0.0)
    return np.power(10.0, wanted / 20.0).astype(np.float32)


def _gain_of_samples(gains: Floats, first: int, count: int) -> Floats:
    """Factor for each sample of ``count`` frames from the frame ``first`` on, shape (count, FRAME).

    It runs straight from one known gain to the next. Those lie in the middle of frames, so that within each
    half of a frame it is one line.
    """
    import numpy as np

    known_at = np.arange(len(gains)) * LEVEL_STEP + 0.5
    edges = np.interp(first + np.arange(2 * count + 1) / 2, known_at, gains).astype(np.float32)
    within = np.arange(FRAME // 2, dtype=np.float32) / (FRAME // 2)
    lines = edges[:-1, None] + (edges[1:] - edges[:-1])[:, None] * within
    return lines.reshape(count, FRAME).astype(np.float32, copy=False)


def _stretches(probabilities: Floats, sample_count: int) -> list[tuple[int, int]]:
    """First and past-the-last sample of each stretch: sure enough to start, unlikely enough to end."""
    import numpy as np

    sure = np.flatnonzero(probabilities >= STARTS_AT)
    if not sure.size:
        return []
    unlikely = np.flatnonzero(probabilities < ENDS_BELOW)
    beyond = np.append(sure[1:], len(probabilities))
    earliest, past_latest = np.searchsorted(unlikely, sure), np.searchsorted(unlikely, beyond)
    held = np.flatnonzero(past_latest > earliest)
    first, last = unlikely[earliest[held]], unlikely[past_latest[held] - 1]
    enough = (last - first) * FRAME >= LEAST_SILENCE
    closes, ends = held[enough], first[enough] * FRAME
    if not closes.size or closes[-1] != len(sure) - 1:
        closes, ends = np.append(closes, len(sure) - 1), np.append(ends, sample_count)
    begins = sure[np.append(0, closes[:-1] + 1)] * FRAME
    long_enough = ends - begins >= LEAST_SPEECH
    return list(zip(begins[long_enough].tolist(), ends[long_enough].tolist(), strict=True))


def _without_lone(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Leave out what is too short for a word and has no speech near it: a bell, a slide between two notes."""
    ends = [-LONELY, *(end for _, end in found)]
    begins = [*(begin for begin, _ in found[1:]), found[-1][1] + LONELY] if found else []
    return [
        (begin, end)
        for (begin, end), before, after in zip(found, ends[:-1], begins, strict=True)
        if end - begin >= SHORTEST_ALONE or begin - before < LONELY or after - end < LONELY
    ]


def _pad(found: list[tuple[int, int]], sample_count: int) -> list[tuple[int, int]]:
    """Widen each stretch, and join those between which less than ``LEAST_GAP`` is left."""
    padded: list[tuple[int, int]] = []
    for first, last in found:
        start, end = max(0, first - PAD), min(sample_count, last + PAD)
        if padded and start - padded[-1][1] < LEAST_GAP:
            start = padded.pop()[0]
        padded.append((start, end))
    return padded


def _cut(stretch: tuple[int, int], probabilities: Floats) -> Iterator[tuple[int, int]]:
    import numpy as np

    start, end = stretch
    even = np.ones(CUT_SMOOTH_FRAMES) / CUT_SMOOTH_FRAMES
    while end - start > LONGEST:
        first, last = (start + LONGEST // 2) // FRAME, (start + LONGEST) // FRAME
        smooth = np.convolve(probabilities[first:last], even, mode="valid")
        cut = (first + int(np.argmin(smooth)) + CUT_SMOOTH_FRAMES // 2) * FRAME + FRAME // 2
        yield start, cut
        start = cut
    yield start, end
