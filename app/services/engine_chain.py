"""Which engine of a stage answers: a chain of names, looked at in the background again and again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.core.exceptions import EngineUnavailable, UnsupportedLanguage
from app.schemas.engine import Availability, Capabilities, EngineChoice, EngineState

log = logging.getLogger(__name__)

FIRST_LOOK_WAIT_S = 6.0
"""Longest time that a call waits for the first look at its engines."""
RETRY_AFTER_S = 30


class Engine(Protocol):
    """What the chain needs of an engine of any stage."""

    name: str
    capabilities: Capabilities

    @property
    def label(self) -> str: ...

    def availability(self) -> Availability: ...


class FetchableEngine(Engine, Protocol):
    """An engine whose weights can be brought here."""

    def fetch(self) -> None: ...


Unfit = Callable[[Any], str | None]
"""Why an engine is not for one call, or None when it is."""
Fetch = Callable[[str, str], None]
"""Brings the weights of (stage, engine) to this machine, or raises; may take long."""


@dataclass(frozen=True)
class EngineView:
    """One engine of the chain as `/ready` shows it.

    ``lesser`` and ``as_good`` are those of its capabilities. ``in_reserve``: usable, but not loaded, since a
    better engine is.
    """

    name: str
    label: str
    state: EngineState
    reason: str | None
    fix: str | None
    lesser: str | None
    in_reserve: bool
    as_good: bool = False


@dataclass
class _Entry:
    engine: Engine
    seen: Availability | None = None
    loaded: bool = False
    load_error: Availability | None = None
    fetch_error: str | None = None
    fetching: bool = field(default=False)

    @property
    def usable(self) -> bool:
        return self.load_error is None and self.seen is not None and self.seen.state is EngineState.READY

    @property
    def is_universal(self) -> bool:
        """Whether it takes every recording, so that none after it is needed."""
        return not self.engine.capabilities.per_channel

    @property
    def is_missed(self) -> bool:
        """Whether another engine's answer is a lesser one because this one cannot answer."""
        installed = self.seen is None or self.seen.installed
        return installed or not self.engine.capabilities.opt_in

    def view(self, *, is_wanted: bool) -> EngineView:
        state = EngineState.LOADING
        reason: str | None = "not looked at yet"
        fix: str | None = None
        if self.load_error is not None:
            state, reason, fix = EngineState.UNAVAILABLE, self.load_error.reason, self.load_error.fix
        elif self.seen is not None:
            state, reason, fix = self.seen.state, self.seen.reason, self.seen.fix
            if state is EngineState.READY and not self.loaded and is_wanted:
                state, reason = EngineState.LOADING, "the model is being loaded"
            elif state is EngineState.LOADING and self.fetch_error:
                state, reason = EngineState.UNAVAILABLE, self.fetch_error
        return EngineView(
            self.engine.name,
            self.engine.label,
            state,
            reason,
            fix,
            self.engine.capabilities.lesser,
            in_reserve=state is EngineState.READY and not self.loaded and not is_wanted,
            as_good=self.engine.capabilities.as_good,
        )


class EngineChain:
    """The engines of one stage in order of preference. Thread-safe.

    ``fetch`` runs in the chain's own thread whenever an engine before the first usable one could have its
    weights fetched; until they are there the next engine answers, with ``degraded`` and the reason.
    ``on_usable`` is told the names of the engines that calls will need (the best usable one, and those before
    it that take only some recordings) after each look, so that they can be loaded.
    """

    def __init__(
        self,
        stage: str,
        engines: Sequence[Engine],
        *,
        interval_s: float = 300.0,
        fetch: Fetch | None = None,
        on_usable: Callable[[str], None] | None = None,
    ) -> None:
        self.stage = stage
        self._entries = {engine.name: _Entry(engine) for engine in engines}
        self._interval_s = interval_s
        self.fetch = fetch
        self.on_usable = on_usable
        self._lock = threading.Lock()
        self._looked = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def engines(self) -> Mapping[str, Engine]:
        return {name: entry.engine for name, entry in self._entries.items()}

    @property
    def is_started(self) -> bool:
        return self._thread is not None or self._looked.is_set()

    def start(self) -> None:
        """Begin looking in the background; a second call does nothing."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name=f"engines-{self.stage}", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def choose(
        self,
        language: str | None = None,
        *,
        external: bool = True,
        unfit: Unfit | None = None,
        wait_s: float = FIRST_LOOK_WAIT_S,
    ) -> EngineChoice:
        """The first usable engine that speaks ``language`` and that ``unfit`` has nothing against.

        Waits at most ``wait_s`` for the first look. ``external=False`` leaves out engines that send data
        off this machine. An engine that is unfit for this call makes the next one no lesser choice. Raises
        EngineUnavailable, or UnsupportedLanguage when only the language is in the way.
        """
        self.start()
        self._looked.wait(wait_s)
        usable = self._usable(external=external)
        if not usable:
            raise EngineUnavailable(self.stage, self._why_none(external), retry_after_s=RETRY_AFTER_S)
        against = {entry.engine.name: unfit(entry.engine) for entry in usable} if unfit else {}
        fit = [entry for entry in usable if not against.get(entry.engine.name)]
        if not fit:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in against.items())
            raise EngineUnavailable(self.stage, reasons)
        for entry in fit:
            if entry.engine.capabilities.speaks(language):
                return self._choice(entry)
        known = sorted({code for entry in fit for code in entry.engine.capabilities.languages or ()})
        raise UnsupportedLanguage(
            f"{', '.join(entry.engine.name for entry in fit)} cannot do language {language!r}; "
            f"usable here: {', '.join(known)}"
        )

    def is_usable(self, *, external: bool = True) -> bool:
        """Whether an engine is known to be usable by now."""
        return bool(self._usable(external=external))

    def is_loaded(self, name: str) -> bool:
        with self._lock:
            return self._entries[name].loaded

    def mark_loaded(self, name: str) -> None:
        with self._lock:
            self._entries[name].loaded = True

    def mark_broken(self, name: str, reason: str, fix: str | None = None) -> None:
        """The engine could not be loaded: leave it out until its next look."""
        with self._lock:
            entry = self._entries[name]
            entry.loaded, entry.load_error = False, Availability.unavailable(reason, fix)
        self._offer_best()

    def mark_unloaded(self) -> None:
        """The process that held the models is gone: have the best engine loaded again."""
        with self._lock:
            for entry in self._entries.values():
                entry.loaded = False
        self._offer_best()

    def views(self) -> tuple[EngineView, ...]:
        with self._lock:
            wanted = self._wanted()
            return tuple(entry.view(is_wanted=name in wanted) for name, entry in self._entries.items())

    def look(self) -> None:
        """Look at every engine once."""
        for entry in self._entries.values():
            seen = entry.engine.availability()
            with self._lock:
                if entry.seen is not None and seen != entry.seen:
                    log.info(
                        "engine.changed",
                        extra={"stage": self.stage, "engine": entry.engine.name, "state": seen.state},
                    )
                entry.seen, entry.load_error = seen, None
        self._looked.set()
        self._offer_best()

    def _usable(self, *, external: bool) -> list[_Entry]:
        return [
            entry
            for entry in self._entries.values()
            if entry.usable and (external or not entry.engine.capabilities.sends_data_out)
        ]

    def _wanted(self) -> tuple[str, ...]:
        """The usable engines up to the first that takes every recording."""
        wanted = []
        for name, entry in self._entries.items():
            if entry.usable:
                wanted.append(name)
                if entry.is_universal:
                    break
        return tuple(wanted)

    def _offer_best(self) -> None:
        with self._lock:
            wanted = self._wanted()
        for name in wanted:
            if self.on_usable is not None and not self._stop.is_set():
                self.on_usable(name)

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                self.look()
                if self._fetch_better():
                    continue
            except Exception:
                log.exception("engine.look_failed", extra={"stage": self.stage})
                self._looked.set()
            self._stop.wait(self._interval_s)

    def _fetch_better(self) -> bool:
        """Fetch the weights of engines preferred to the first usable one; True when any arrived."""
        if self.fetch is None:
            return False
        arrived = False
        for name, entry in self._entries.items():
            if entry.usable and entry.is_universal:
                break
            if entry.usable or entry.seen is None or entry.seen.state is not EngineState.LOADING:
                continue
            entry.fetch_error = None
            try:
                self.fetch(self.stage, name)
                arrived = True
            except Exception as error:
                entry.fetch_error = f"its weights could not be fetched: {error}"
                log.warning("engine.fetch_failed", extra={"stage": self.stage, "engine": name})
        return arrived

    def _choice(self, entry: _Entry) -> EngineChoice:
        reasons = []
        for other in self._entries.values():
            if other is entry or entry.engine.capabilities.as_good:
                break
            if not other.usable and other.is_missed:
                view = other.view(is_wanted=False)
                reasons.append(f"{view.label} is not usable: {view.reason}")
        if entry.engine.capabilities.lesser:
            reasons.append(f"{entry.engine.label}: {entry.engine.capabilities.lesser}")
        return EngineChoice(
            self.stage, entry.engine.name, entry.engine.label, bool(reasons), "; ".join(reasons) or None
        )

    def _why_none(self, external: bool) -> str:
        parts = []
        for entry in self._entries.values():
            view = entry.view(is_wanted=False)
            if not external and entry.engine.capabilities.sends_data_out:
                parts.append(f"{view.label}: sends data off this machine (ALLOW_EXTERNAL_ENGINES is false)")
            else:
                parts.append(f"{view.label}: {view.reason}" + (f" ({view.fix})" if view.fix else ""))
        return "; ".join(parts)
