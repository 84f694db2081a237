"""Fault points, for what a signal alone cannot reach: Python imports this first in every process whose
PYTHONPATH names this folder.

The JSON file that FAULT_POINTS names is read again at each point, so that a test can change it meanwhile:

    {"linger_s": {"decode": 0.5, "sentiment": 0.5}, "raise_in": ["roles"], "mute": true, "die": "before_ring"}

A stage (or ``load``) in ``linger_s`` takes so much longer, in the process that does its work; ``persist``
does so in the middle of its transaction. One in ``raise_in`` fails after that. ``mute``: a worker stops its
consumers, and lives; that they stopped is noted as `silence`. ``die``: SIGKILL to itself ``before_ring``
(a call is stored, nobody was told yet). FAULT_HOST: the name of the machine that the process believes to be
on. FAULT_TRANSPORT: further options of the broker's transport, as JSON. What was reached is noted beside the
file, in one that ends with `.reached`.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

SILENCE = "silence"
Wrapper = Callable[[Callable[..., Any]], Callable[..., Any]]


def read_points() -> dict[str, Any]:
    points: dict[str, Any] = json.loads(Path(os.environ["FAULT_POINTS"]).read_text(encoding="utf-8"))
    return points


def linger(stage: str) -> None:
    points = read_points()
    with Path(os.environ["FAULT_POINTS"]).with_suffix(".reached").open("a", encoding="utf-8") as file:
        file.write(f"{stage}\n")
    time.sleep(points.get("linger_s", {}).get(stage, 0))
    if stage in points.get("raise_in", ()):
        raise RuntimeError(f"a fault in {stage}")


def before(point: Callable[[], None]) -> Wrapper:
    """Wraps a function so that ``point`` is passed before it begins."""

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            point()
            return function(*arguments, **named)

        return wrapped

    return wrap


def after(stage: str) -> Wrapper:
    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            value = function(*arguments, **named)
            linger(stage)
            return value

        return wrapped

    return wrap


def in_stage(stage: str) -> Wrapper:
    return before(lambda: linger(stage))


def die_before_ring() -> None:
    """Not where it is rung for what others left: that is what comes after their death."""
    if threading.current_thread().name != "keeper" and read_points().get("die") == "before_ring":
        os.kill(os.getpid(), signal.SIGKILL)


def muted(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(listener: Any, queues: frozenset[Any]) -> Any:
        return function(listener, frozenset() if read_points().get("mute") else queues)

    return wrapped


def noting_silence(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(listener: Any, consumer: Any) -> None:
        function(listener, consumer)
        if not listener._wanted:
            linger(SILENCE)

    return wrapped


def with_other_options(function: Callable[..., Any]) -> Callable[..., Any]:
    others = json.loads(os.environ.get("FAULT_TRANSPORT", "{}"))

    @functools.wraps(function)
    def wrapped(*arguments: Any) -> Any:
        return {**function(*arguments), **others}

    return wrapped


POINTS: dict[str, list[tuple[str, Wrapper]]] = {
    "app.services.audio_service": [("AudioService.decode", in_stage("decode"))],
    "app.services.audio.vad": [("VoiceActivity.detect", in_stage("voice_activity"))],
    "app.services.stt_service": [
        ("SttService.transcribe", in_stage("transcribe")),
        ("SttService.load", in_stage("load")),
    ],
    "app.services.diarization_service": [("DiarizationService.diarize", in_stage("diarization"))],
    "app.services.roles_service": [("assign_roles", in_stage("roles"))],
    "app.services.reading_service": [("ReadingService.read", in_stage("reading"))],
    "app.services.sentiment_service": [("SentimentService.analyse", in_stage("sentiment"))],
    "app.services.metrics_service": [("measure", in_stage("metrics"))],
    "app.services.coachable_service": [("CoachableService.find", in_stage("moments"))],
    "app.db.repositories.results": [("ResultRepository.add", after("persist"))],
    "app.workers.listener": [("Listener.listen_to", muted), ("Listener._follow", noting_silence)],
    "app.workers.celery_bell": [("CeleryBell.ring", before(die_before_ring))],
    "app.workers.celery_app": [("_transport_options", with_other_options)],
}
"""Modules, and what in them is wrapped as soon as they are imported."""


class Wrapping(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        for path, wrap in POINTS[module.__name__]:
            *owners, name = path.split(".")
            owner: Any = functools.reduce(getattr, owners, module)
            setattr(owner, name, wrap(getattr(owner, name)))


class Finder(MetaPathFinder):
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname in POINTS else None
        if spec is not None and spec.loader is not None:
            spec.loader = Wrapping(spec.loader)
        return spec


if "FAULT_POINTS" in os.environ:
    sys.meta_path.insert(0, Finder())
if "FAULT_HOST" in os.environ:
    socket.gethostname = lambda: os.environ["FAULT_HOST"]
