"""What was heard in a recording: all that the later stages need, so that they need no audio."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.schemas.analysis import Notice
from app.schemas.reading import Reading
from app.schemas.transcript import Transcript, Turn


@dataclass(frozen=True)
class Heard:
    """``turns`` is None until who speaks when has been looked for.

    ``engines``: the label of the engine that answered, by stage. ``degraded``: why a lesser one did.
    ``loudness`` and ``separate_channels`` are those of ``Conversation``; ``only_channel`` is the one that
    holds all speech, where the others are silent. ``notices`` and ``failed_stages``: as in ``Analysis``,
    of these stages. ``readings``: those of an earlier analysis of the same segments, one for each; such as
    still hold are not made anew.
    """

    duration_s: float
    damaged: bool
    transcript: Transcript
    engines: dict[str, str]
    degraded: tuple[Notice, ...] = ()
    loudness: tuple[tuple[float, ...], ...] = ()
    separate_channels: bool = False
    only_channel: int | None = None
    turns: tuple[Turn, ...] | None = None
    notices: tuple[Notice, ...] = ()
    failed_stages: tuple[str, ...] = ()
    readings: tuple[Reading | None, ...] = ()

    def without(self, stage: str) -> Heard:
        """As it was before ``stage`` failed."""
        return replace(
            self,
            readings=(),
            turns=None if stage == "diarization" else self.turns,
            notices=tuple(notice for notice in self.notices if notice.stage != stage),
            failed_stages=tuple(failed for failed in self.failed_stages if failed != stage),
        )
