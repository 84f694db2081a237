"""When exactly a speaker's voice sounds: pauses taken out by level, short ones kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Frames = NDArray[np.int64]
    Flags = NDArray[np.bool_]

LOUD_PERCENTILE = 96.0
AUDIBLE_DB = 25.0
"""A frame this much below a speaker's loud ones is a pause: the voice activity pads speech on both sides."""
LINE_PAUSE, ROOM_PAUSE = 25, 75
"""Frames of a pause that still belong to a turn. On a telephone line (0.25 s) silence is silence; in a room
the level of a voice falls with every turn of the head, and only a longer pause (0.75 s) is one."""
LEAST_FRAMES = 5

LINE_HZ = 4300.0
LINE_DB = -61.0
"""Speech whose louder frames have, as a rule, this little of their power above ``LINE_HZ`` came through a
telephone line: what was sampled at 8 kHz lies at -64 to -94 dB, wide recordings at -36 to -59 dB."""
_MOST_LOOKED_AT = 20_000


def loud_level(levels: Floats) -> float:
    """RMS that a voice exceeds in its loud frames (4 % of them): its level, whatever its pauses."""
    import numpy as np

    return float(np.percentile(levels, LOUD_PERCENTILE))


def is_line(log_mel: NDArray[np.float16]) -> bool:
    """Whether speech, as log power in bands of shape (n, 40), holds nothing above a telephone's band."""
    import numpy as np

    from app.services.diarization.mel import QUIETEST, band_floors_hz

    some = log_mel[:: -(-len(log_mel) // _MOST_LOOKED_AT)].astype(np.float32)
    power = np.maximum(np.exp(some) - QUIETEST, 0.0)
    whole = power.sum(axis=1)
    above = power[:, band_floors_hz() >= LINE_HZ].sum(axis=1)
    loud = whole >= np.median(whole)
    return bool(np.median(above[loud] / np.maximum(whole[loud], QUIETEST)) <= 10.0 ** (LINE_DB / 10.0))


def voiced(frames: Frames, levels: Floats, speaks: Flags, alone: Flags, pause: int) -> list[tuple[int, int]]:
    """First and past-the-last frame of each stretch in which a speaker is heard, in order.

    ``frames``: numbers of the frames of speech, with their ``levels``; ``speaks``: where the speaker does,
    ``alone``: where nobody else does. Never empty where ``speaks`` holds anywhere.
    """
    import numpy as np

    level = loud_level(levels[alone if np.any(alone) else speaks])
    audible = speaks & (levels > level * 10.0 ** (-AUDIBLE_DB / 20.0))
    found = [run for run in runs(frames[audible], pause) if run[1] - run[0] >= LEAST_FRAMES]
    return found or runs(frames[speaks], pause)


def runs(frames: Frames, pause: int) -> list[tuple[int, int]]:
    """Join rising frame numbers into stretches across gaps of at most ``pause`` frames."""
    import numpy as np

    if not len(frames):
        return []
    breaks = np.flatnonzero(np.diff(frames) > pause + 1)
    first = frames[np.concatenate(([0], breaks + 1))]
    last = frames[np.concatenate((breaks, [len(frames) - 1]))]
    return [(int(start), int(end) + 1) for start, end in zip(first, last, strict=True)]
