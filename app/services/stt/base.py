"""The port that every speech-to-text engine implements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from app.schemas.engine import Availability, Capabilities
from app.schemas.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from app.services.audio.windows import SpeechWindow


@dataclass(frozen=True)
class SttRequest:
    """One window of speech.

    ``samples``: float32 in [-1, 1], shape (n,), 16 kHz mono, at most 30 s; the window's pieces of the
    recording, joined. ``language``: ISO 639-1 code to obey, or None to detect it. ``window`` says where in
    the recording the pieces lie (only the scripted engine needs it). ``vocabulary``: names to be expected,
    the likeliest first; an engine that can make no use of them ignores them.
    """

    samples: NDArray[np.float32]
    language: str | None
    window: SpeechWindow
    vocabulary: tuple[str, ...] = ()


class SttEngine(Protocol):
    """Speech to text.

    An engine is made cheaply, in any process: its module imports no heavy library at the top and
    ``availability`` touches nothing but the disk and, at most, one connection with a short timeout.
    ``load`` and ``transcribe`` run in one thread of the engine process, never at the same time.

    Times of the words that ``transcribe`` returns are in seconds from the start of ``samples``, not sorted
    or clamped (the facade does both). A request gives the same words whatever was transcribed before it.
    Any exception is allowed: the facade turns it into StageFailed.
    """

    name: str
    capabilities: Capabilities

    @property
    def label(self) -> str:
        """Name and model as the answer shows them, ``whisper:base``."""
        ...

    def availability(self) -> Availability: ...

    def fetch(self) -> None:
        """Bring the weights to this machine. Raises StageFailed, saying what to do, when out of reach."""
        ...

    def load(self) -> None:
        """Bring the model into memory; a second call does nothing."""
        ...

    def transcribe(self, request: SttRequest) -> Transcript: ...


class BatchingSttEngine(SttEngine, Protocol):
    """An engine that takes several windows at once; ``capabilities.batch`` says how many pay."""

    def transcribe_many(self, requests: Sequence[SttRequest]) -> tuple[Transcript, ...]:
        """One transcript for each request, in their order: what ``transcribe`` would give it alone.

        Each times its words from the start of its own samples. More than ``capabilities.batch`` are allowed.
        """
        ...
