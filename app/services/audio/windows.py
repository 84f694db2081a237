"""Speech packed into windows that an engine takes at once, with times mapped back exactly."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from app.schemas.audio import SAMPLE_RATE, Audio, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOW_S = 28.0
"""Longest window, in seconds: inside the 30 s that Whisper's encoder reads."""


@dataclass(frozen=True)
class SpeechWindow:
    """Pieces of the recording, in order and without overlap, that are joined end to end.

    ``channel``: the channel that they are of, None where the recording is heard as one signal.
    """

    pieces: tuple[Span, ...]
    channel: int | None = None

    @property
    def length_s(self) -> float:
        return sum(piece.length_s for piece in self.pieces)

    def samples(self, audio: Audio) -> NDArray[np.float32]:
        """The joined samples, shape (n,)."""
        import numpy as np

        return np.concatenate([audio.read(piece) for piece in self.pieces])

    def to_recording(self, time_s: float, *, is_end: bool = False) -> float:
        """Map a time in the window to the recording, clamped to it.

        A time on a seam belongs to the later piece, or to the earlier one when it ends something.
        """
        starts = [0.0, *accumulate(piece.length_s for piece in self.pieces)]
        inside = min(max(time_s, 0.0), starts[-1])
        index = bisect_right(starts, inside) - 1
        index = min(index, len(self.pieces) - 1)
        if is_end and index > 0 and inside - starts[index] < 0.5 / SAMPLE_RATE:
            index -= 1
        piece = self.pieces[index]
        return min(piece.start_s + (inside - starts[index]), piece.end_s)


def pack(
    speech: Iterable[Span], longest_s: float = WINDOW_S, channel: int | None = None
) -> tuple[SpeechWindow, ...]:
    """Pack stretches of speech, in order, into windows of at most ``longest_s``.

    A stretch longer than a window is cut; none is lost or heard twice.
    """
    windows: list[SpeechWindow] = []
    open_pieces: list[Span] = []
    filled = 0.0
    for piece in _cut(speech, longest_s):
        if open_pieces and filled + piece.length_s > longest_s + 1e-9:
            windows.append(SpeechWindow(tuple(open_pieces), channel))
            open_pieces, filled = [], 0.0
        open_pieces.append(piece)
        filled += piece.length_s
    if open_pieces:
        windows.append(SpeechWindow(tuple(open_pieces), channel))
    return tuple(windows)


def whole(audio: Audio, longest_s: float = WINDOW_S, channel: int | None = None) -> tuple[SpeechWindow, ...]:
    """The whole recording in windows, for engines that want the silence too."""
    return pack([Span(0.0, audio.duration_s)], longest_s, channel) if audio.sample_count else ()


def _cut(speech: Iterable[Span], longest_s: float) -> Iterable[Span]:
    for span in speech:
        start = span.start_s
        while span.end_s - start > longest_s + 1e-9:
            yield Span(start, start + longest_s)
            start += longest_s
        yield Span(start, span.end_s)
