"""The port that every reader of moments implements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.schemas.engine import Availability, Capabilities
from app.schemas.reading import Reading
from app.schemas.utterance import Utterance


class ReadingEngine(Protocol):
    """Reads utterances for moments. Made cheaply: no heavy import before ``load``; see SttEngine for the
    life cycle.

    ``read`` gives one Reading for each utterance, in order, None where it holds no word. It is safe to call
    from several threads, and what is read does not depend on neighbours. ``language`` is an ISO 639-1 code
    that ``capabilities`` lists, or None, which counts as English.
    """

    name: str

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def label(self) -> str: ...

    def availability(self) -> Availability: ...

    def fetch(self) -> None: ...

    def load(self) -> None: ...

    def read(self, utterances: Sequence[Utterance], language: str | None) -> list[Reading | None]: ...
