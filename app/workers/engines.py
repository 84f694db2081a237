"""The engines as the pipeline sees them: which one answers a call, and requests to the engine process."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Event
from typing import Any, cast

from app.core.config import Settings
from app.core.exceptions import (
    AppError,
    EngineCrashed,
    EngineUnavailable,
    StageFailed,
    UnsupportedLanguage,
)
from app.schemas.audio import Audio, ChannelLayout, Span
from app.schemas.engine import Capabilities, EngineChoice
from app.schemas.reading import Reading
from app.schemas.sentiment import Sentiment
from app.schemas.transcript import Transcript, Turn
from app.schemas.utterance import Utterance
from app.services.audio.windows import SpeechWindow
from app.services.diarization.base import DiarizationRequest
from app.services.engine_chain import EngineChain, EngineView
from app.workers.engine_process import EngineProcess, child_environment
from app.workers.progress import CallGone

log = logging.getLogger(__name__)

ON_DEMAND = ("sentiment_multilingual",)
DISPENSABLE = ("reading", *ON_DEMAND)
"""Stages without whose engines a call has a result all the same, which says so."""
MOST_CRASHES = 3
"""Processes that may end while they load an engine, one after another, before it is left out for a while."""


@dataclass(frozen=True)
class EngineChoices:
    """The engines that hear one call; ``diarization`` is None where no usable one takes this recording."""

    stt: EngineChoice
    diarization: EngineChoice | None

    @property
    def all(self) -> tuple[EngineChoice, ...]:
        return tuple(choice for choice in (self.stt, self.diarization) if choice)

    @property
    def labels(self) -> dict[str, str]:
        return {choice.stage: choice.label for choice in self.all}

    @property
    def degraded(self) -> tuple[EngineChoice, ...]:
        return tuple(choice for choice in self.all if choice.degraded)


class _Requests:
    """Requests of one call to the engine process, until its deadline (on the monotonic clock) or until it is
    stopped: they raise StageFailed, EngineCrashed, DeadlineExceeded, or CallGone."""

    def __init__(self, process: EngineProcess, deadline: float, stopped: Event) -> None:
        self._process = process
        self._deadline = deadline
        self._stopped = stopped

    def __call__(self, stage: str, operation: str, *arguments: Any) -> Any:
        answer = self._process.request(
            stage, operation, *arguments, deadline=self._deadline, stopped=self._stopped
        )
        if self._stopped.is_set():
            raise CallGone
        return answer


class EngineRun:
    """The engines that hear one call.

    ``layout`` holds the signals to work on: each party's channel for an engine that takes them apart, else
    one; ``speech`` the stretches of speech of each. Each method raises StageFailed, EngineCrashed,
    DeadlineExceeded or CallGone; see the engines' ports for the rest.
    """

    def __init__(
        self,
        request: _Requests,
        choices: EngineChoices,
        capabilities: Mapping[str, Capabilities],
        layout: ChannelLayout,
        speech: tuple[tuple[Span, ...], ...],
    ) -> None:
        self.choices = choices
        self.layout = layout
        self.speech = speech
        self._request = request
        self._capabilities = capabilities

    @property
    def wants_speech_only(self) -> bool:
        return self._capabilities["stt"].voice_activity

    @property
    def windows_at_once(self) -> int:
        """How many windows the speech engine takes in one request."""
        return self._capabilities["stt"].batch

    def transcribe(
        self,
        work: Sequence[tuple[Audio, SpeechWindow]],
        language: str | None,
        vocabulary: tuple[str, ...] = (),
    ) -> tuple[Transcript, ...]:
        """One transcript for each window of ``work``, given with the signal that it is of."""
        name = self.choices.stt.name
        answer = self._request("stt", "transcribe", name, tuple(work), language, vocabulary)
        return cast("tuple[Transcript, ...]", answer)

    def diarize(self, transcript: Transcript, num_speakers: int | None) -> tuple[Turn, ...]:
        """Raises EngineUnavailable too, where no engine takes this recording."""
        if self.choices.diarization is None:
            raise EngineUnavailable("diarization", "no engine of the chain takes this recording")
        request = DiarizationRequest(self.layout, self.speech, transcript, num_speakers)
        name = self.choices.diarization.name
        return cast("tuple[Turn, ...]", self._request("diarization", "diarize", name, request))


class SentimentRun:
    """The engine that judges the words of one call; ``refusal``: why none here does in its language."""

    def __init__(self, request: _Requests, choice: EngineChoice, refusal: str | None = None) -> None:
        self.choice = choice
        self.refusal = refusal
        self._request = request

    def analyse(self, utterances: Sequence[Utterance]) -> list[Sentiment]:
        """One sentiment an utterance. Raises as the methods of ``EngineRun`` do."""
        answer = self._request("sentiment", "analyse_sentiment", self.choice.name, tuple(utterances))
        return cast("list[Sentiment]", answer)


class ReadingRun:
    """The engine that reads the words of one call for moments."""

    def __init__(self, request: _Requests, choice: EngineChoice, capabilities: Capabilities) -> None:
        self.choice = choice
        self._request = request
        self._capabilities = capabilities

    def speaks(self, language: str | None) -> bool:
        return self._capabilities.speaks(language)

    def read(self, utterances: Sequence[Utterance], language: str | None) -> list[Reading | None]:
        """One reading an utterance, None for one without words. Raises as the methods of ``EngineRun`` do."""
        answer = self._request("reading", "read", self.choice.name, tuple(utterances), language)
        return cast("list[Reading | None]", answer)


class Engines:
    """Chooses engines and runs them in the engine process. Thread-safe.

    ``chains`` holds one chain for each of stt, diarization and, unless they are switched off, reading,
    sentiment and sentiment_multilingual; in a worker, those of the stages that it works on.
    """

    def __init__(self, settings: Settings, chains: Mapping[str, EngineChain]) -> None:
        self._settings = settings
        self._chains = dict(chains)
        self._crashes = Counter[tuple[str, str]]()
        self._stopping = False
        self._process = EngineProcess(settings, on_lost=self._process_lost)
        for chain in self._chains.values():
            chain.fetch = self._fetch
            chain.on_usable = self._loader(chain)

    @property
    def pid(self) -> int | None:
        """Process id of the engine process."""
        return self._process.pid

    def start(self) -> None:
        """Look at the engines and load the best usable ones, in the background.

        The engine for other languages waits for the first call in one: its model is large.
        """
        for stage, chain in self._chains.items():
            if stage not in ON_DEMAND:
                chain.start()

    def stop(self) -> None:
        self._stopping = True
        for chain in self._chains.values():
            chain.stop()
        self._process.stop()

    def replace_process(self) -> None:
        """Let a new engine process take over as soon as the present one has nothing to do."""
        self._process.replace()

    def are_usable(self) -> bool:
        """Whether each needed stage has an engine that a call could be given to; does not wait for a first
        look."""
        external = self._settings.allow_external_engines
        needed = [chain for stage, chain in self._chains.items() if stage not in DISPENSABLE]
        return all(chain.is_usable(external=external) for chain in needed)

    def views(self) -> dict[str, tuple[EngineView, ...]]:
        """By stage; without those that no call has asked for yet."""
        return {stage: chain.views() for stage, chain in self._chains.items() if chain.is_started}

    def choose(self, language: str | None = None, layout: ChannelLayout | None = None) -> EngineChoices:
        """Raises EngineUnavailable for a stage with no usable engine, or UnsupportedLanguage.

        With a ``layout``, the diarization engine is one that takes such a recording, or None.
        """
        external = self._settings.allow_external_engines
        return EngineChoices(
            stt=self._chains["stt"].choose(language, external=external),
            diarization=self._choose_diarization(layout, external=external),
        )

    def check(self, language: str | None = None) -> None:
        """Raises EngineUnavailable or UnsupportedLanguage when a call would fail for want of an engine."""
        self.choose(language)
        if "sentiment" in self._chains:
            self._chains["sentiment"].choose(external=self._settings.allow_external_engines)

    def run(self, audio: Audio, language: str | None, stopped: Event) -> EngineRun:
        """Start the call's clock, find its channels and where they hold speech, choose engines for it.

        Raises EngineUnavailable, StageFailed, EngineCrashed, DeadlineExceeded or CallGone.
        """
        request = self._requests(audio.duration_s, stopped)
        layout, speech = request("vad", "listen", audio)
        choices = self.choose(language, layout)
        capabilities = {
            choice.stage: self._chains[choice.stage].engines[choice.name].capabilities
            for choice in choices.all
        }
        takes_channels = "diarization" in capabilities and capabilities["diarization"].per_channel
        if len(layout.voices) > 1 and not takes_channels:
            layout = layout.mixed(audio)
            speech = (request("vad", "detect_speech", audio),)
        return EngineRun(request, choices, capabilities, layout, speech)

    def judge(self, duration_s: float, stopped: Event, language: str | None = None) -> SentimentRun | None:
        """Who judges a call of this length; None where sentiment is off. Raises EngineUnavailable.

        Where no engine of the chain speaks the language, it is the one for other languages; where that one is
        not usable, one that refuses.
        """
        chain = self._chains.get("sentiment")
        if chain is None:
            return None
        request = self._requests(duration_s, stopped)
        external = self._settings.allow_external_engines
        try:
            choice = chain.choose(language, external=external)
        except UnsupportedLanguage as unsupported:
            try:
                others = self._chains["sentiment_multilingual"]
                return SentimentRun(request, others.choose(language, external=external))
            except (EngineUnavailable, UnsupportedLanguage) as error:
                refusal = f"{unsupported.detail}; {error.detail}"
            return SentimentRun(request, chain.choose(external=external), refusal)
        return SentimentRun(request, choice)

    def reader(self, duration_s: float, stopped: Event) -> ReadingRun | None:
        """Who reads a call of this length for moments; None where that is off. Raises EngineUnavailable."""
        chain = self._chains.get("reading")
        if chain is None:
            return None
        choice = chain.choose()
        capabilities = chain.engines[choice.name].capabilities
        return ReadingRun(self._requests(duration_s, stopped), choice, capabilities)

    def _requests(self, duration_s: float, stopped: Event) -> _Requests:
        longest_s = max(self._settings.call_deadline_min_s, self._settings.call_deadline_factor * duration_s)
        return _Requests(self._process, time.monotonic() + longest_s, stopped)

    def _choose_diarization(self, layout: ChannelLayout | None, *, external: bool) -> EngineChoice | None:
        chain = self._chains["diarization"]
        if layout is None:
            return chain.choose(external=external)
        try:
            return chain.choose(external=external, unfit=lambda engine: engine.unfit(layout))
        except EngineUnavailable as error:
            log.warning("diarization.unfit", extra={"reason": error.detail})
            return None

    def _loader(self, chain: EngineChain) -> Callable[[str], None]:
        def load(name: str) -> None:
            if chain.is_loaded(name):
                return
            answer = self._process.submit(chain.stage, "load", chain.stage, name)
            answer.add_done_callback(lambda done: self._loaded(chain, name, done))

        return load

    def _loaded(self, chain: EngineChain, name: str, done: Future[Any]) -> None:
        error = done.exception()
        if error is None:
            self._crashes[chain.stage, name] = 0
            chain.mark_loaded(name)
            log.info("engine.loaded", extra={"stage": chain.stage, "engine": name})
            return
        if self._stopping:
            return  # ended with the process, on purpose: errors here would bury why the service stops
        log.error("engine.load_failed", extra={"stage": chain.stage, "engine": name, "reason": str(error)})
        if isinstance(error, EngineCrashed) and self._may_crash_again(chain.stage, name):
            return  # whoever killed the process meant another: it is loaded again when the process is
        detail = error.detail if isinstance(error, AppError) else type(error).__name__
        chain.mark_broken(name, f"it could not be loaded: {detail}")

    def _may_crash_again(self, stage: str, name: str) -> bool:
        """Whether a process that ended while it loaded this engine says nothing about the engine yet."""
        self._crashes[stage, name] += 1
        return self._crashes[stage, name] < MOST_CRASHES

    def _process_lost(self) -> None:
        """Start again at once, so that the next call finds its models loaded."""
        for chain in self._chains.values():
            chain.mark_unloaded()

    def _fetch(self, stage: str, name: str) -> None:
        """Fetch weights in a process of its own: a download must not hold up the engines at work."""
        environment = {**child_environment(self._settings), "HF_HUB_OFFLINE": "0"}
        done = subprocess.run(
            [sys.executable, "-m", "app", "fetch-models", "--engine", name],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines()
            raise StageFailed(stage, lines[-1] if lines else f"exit code {done.returncode}")
