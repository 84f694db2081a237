"""What an engine can do, whether it is usable here, and which one was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EngineState(StrEnum):
    """``ready``: usable now. ``loading``: its weights are on the way. ``unavailable``: see the reason."""

    READY = "ready"
    LOADING = "loading"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Capabilities:
    """What an engine can and cannot do.

    ``sends_data_out``: words or audio leave the machine. ``languages``: ISO 639-1 codes, None = any.
    ``lesser``: why this engine's answers count as degraded, None for a full one. ``as_good``: they are full
    ones also where an engine that is preferred to it cannot answer.
    ``voice_activity``: it wants only the stretches that hold speech. ``per_channel``: it takes what each
    channel says by itself. ``opt_in``: it counts as preferred only where somebody has installed it.
    ``batch``: windows that it takes at once.
    """

    sends_data_out: bool = False
    languages: frozenset[str] | None = None
    word_times: bool = True
    lesser: str | None = None
    as_good: bool = False
    voice_activity: bool = True
    per_channel: bool = False
    opt_in: bool = False
    batch: int = 1

    def speaks(self, language: str | None) -> bool:
        return language is None or self.languages is None or language in self.languages


@dataclass(frozen=True)
class Availability:
    """The answer to "could this engine work here?", found without loading it.

    ``ready``: library and weights are on this machine. ``loading``: the weights are missing and can be
    fetched. ``unavailable``: neither; ``reason`` says why and ``fix`` what to run. ``installed`` is False
    where the engine's library is not there.
    """

    state: EngineState
    reason: str | None = None
    fix: str | None = None
    installed: bool = True

    @classmethod
    def ready(cls) -> Availability:
        return cls(EngineState.READY)

    @classmethod
    def fetchable(cls, reason: str, fix: str | None = None) -> Availability:
        return cls(EngineState.LOADING, reason, fix)

    @classmethod
    def unavailable(cls, reason: str, fix: str | None = None) -> Availability:
        return cls(EngineState.UNAVAILABLE, reason, fix)

    @classmethod
    def not_installed(cls, reason: str, fix: str | None = None) -> Availability:
        return cls(EngineState.UNAVAILABLE, reason, fix, installed=False)


@dataclass(frozen=True)
class EngineChoice:
    """The engine that answers: ``name`` is its registry key, ``label`` what the answer shows."""

    stage: str
    name: str
    label: str
    degraded: bool = False
    reason: str | None = None
