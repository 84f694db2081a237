"""Voices as points: the GE2E encoder of Resemblyzer, fed with windows of mel spectra."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.exceptions import EngineUnavailable
from app.services.diarization.mel import BANDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).parent / "weights" / "ge2e.onnx"
VOICE_SIZE = 256
LONG, SHORT = 160, 80
"""Frames of a window as the encoder was trained on (1.6 s), and of its first half, which comes for free."""
TARGET_DB = -30.0
"""Speech below this level (dB of full scale) is raised to it, as Resemblyzer does; louder stays as it is."""
_BATCH = 8


class VoiceEncoder:
    """Thread-safe; the model is opened once, from the file beside this module."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._session: Any = None

    def load(self) -> None:
        """Raises EngineUnavailable without weights or onnxruntime."""
        with self._lock:
            if self._session is not None:
                return
            try:
                import onnxruntime

                options = onnxruntime.SessionOptions()
                # Batches side by side keep all cores busy; two threads in one batch wait for each other.
                options.intra_op_num_threads = options.inter_op_num_threads = 1
                # An arena keeps the most that any batch needed, for as long as the process lives.
                options.enable_cpu_mem_arena = False
                self._session = onnxruntime.InferenceSession(
                    str(WEIGHTS), sess_options=options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:
                raise EngineUnavailable(
                    "diarization", f"the voice encoder cannot be loaded: {type(error).__name__}"
                ) from error

    def voices(self, mel: Floats, starts: NDArray[np.int64]) -> Floats:
        """Unit-length voices, shape (2, windows, 256), of the first 80 and of all 160 frames from ``starts``.

        ``mel``: power in bands, shape (frames, 40), at the level that the encoder expects; what a window
        reaches beyond its end is silence.
        """
        import numpy as np

        self.load()
        padded = np.concatenate((mel, np.zeros((LONG, BANDS), dtype=np.float32)))
        ends = np.array([SHORT - 1, LONG - 1])
        found = np.zeros((2, len(starts), VOICE_SIZE), dtype=np.float32)

        def fill(first: int) -> None:
            chosen = starts[first : first + _BATCH, None] + np.arange(LONG)
            (voices,) = self._session.run(["voices"], {"mel": padded[chosen], "ends": ends})
            found[:, first : first + _BATCH] = voices.swapaxes(0, 1)

        with ThreadPoolExecutor(self._threads, thread_name_prefix="voices") as pool:
            deque(pool.map(fill, range(0, len(starts), _BATCH)), maxlen=0)
        return found


def level_gain(mean_square: float) -> float:
    """Factor for the power of speech whose samples in [-1, 1] have this mean square."""
    import math

    if mean_square <= 0.0:
        return 1.0
    return float(10.0 ** (max(0.0, TARGET_DB - 10.0 * math.log10(mean_square)) / 10.0))
