"""What a row of the fault table is: something done to real processes, and what must hold afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """Of ``tried`` rounds ``held`` left everything as it must be; ``notes`` say what was seen."""

    held: int
    tried: int
    notes: str = ""

    @property
    def all_held(self) -> bool:
        return self.held == self.tried and self.tried > 0


@dataclass(frozen=True)
class Conditions:
    """``folder`` is empty and the row's own. With ``defaults`` lease, heartbeat and reaper have their default
    times, else a tenth of them. ``short``: what a row only waits for may take less."""

    folder: Path
    defaults: bool = False
    short: bool = False


@dataclass(frozen=True)
class Row:
    """``number`` and ``what`` as in the published table. ``rounds`` is the whole count, ``short`` that of
    `make test`; ``defaults_too``: how often it is done once more at the default times."""

    number: int
    what: str
    rounds: int
    run: Callable[[Conditions, int], Outcome]
    """Given the conditions and how many rounds to do."""
    short: int = 1
    defaults_too: int = 0
