"""What was heard in a recording: all that the later stages need, so that they need no audio."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.schemas.analysis import Notice
from app.schemas.reading import Reading
from app.schemas.speaker import Speaker
from app.schemas.transcript import Segment, Transcript, Turn


@dataclass(frozen=True)
class Told:
    """Who said what, known beforehand: from an earlier analysis, or from whoever brings a transcript.

    ``speakers`` is None where their roles are to be found. ``is_timed`` is False where nobody knows when the
    words were said, and their times are there for their order alone: nothing is measured then.

    ``playbook`` and ``revision``: by which moments are found; None: the one that the call asks for, as it
    holds now. ``is_original``: as it was before the corrections that a reviewer made in the call; these are
    to be made on it again.
    """

    segments: tuple[Segment, ...]
    speakers: tuple[Speaker, ...] | None
    is_timed: bool = True
    playbook: str | None = None
    revision: str | None = None
    is_original: bool = False


@dataclass(frozen=True)
class Heard:
    """``turns`` is None until who speaks when has been looked for.

    ``engines``: the label of the engine that answered, by stage. ``degraded``: why a lesser one did.
    ``loudness`` and ``separate_channels`` are those of ``Conversation``; ``only_channel`` is the one that
    holds all speech, where the others are silent. ``notices`` and ``failed_stages``: as in ``Analysis``,
    of these stages. What is ``told`` is not found anew, and of the ``readings`` of an earlier analysis of the
    same segments, one for each, only those that hold no more are made again.
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
    told: Told | None = None
    readings: tuple[Reading | None, ...] = ()

    def without(self, stage: str) -> Heard:
        """As it was before ``stage`` failed. What was told rests on it, and is found anew."""
        return replace(
            self,
            readings=(),
            turns=None if stage == "diarization" else self.turns,
            told=None,
            notices=tuple(notice for notice in self.notices if notice.stage != stage),
            failed_stages=tuple(failed for failed in self.failed_stages if failed != stage),
        )
