"""Signals by the name that a playbook gives them, which is also that of their type of moment."""

from __future__ import annotations

from typing import Any, Self

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from app.services.coachable.detectors.base import Detector
from app.services.coachable.detectors.dead_air import DeadAir
from app.services.coachable.detectors.fast_pace import FastPace
from app.services.coachable.detectors.interruption import Interruption
from app.services.coachable.detectors.monologue import Monologue
from app.services.coachable.detectors.slow_response import SlowResponse
from app.services.coachable.part import Part


class SignalCondition(Part):
    """True where the one signal that is named is found, with the thresholds that are given."""

    monologue: Monologue | None = None
    interruption: Interruption | None = None
    dead_air: DeadAir | None = None
    fast_pace: FastPace | None = None
    slow_response: SlowResponse | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if len(self._named()) != 1:
            raise ValueError(f"name one signal: one of {', '.join(type(self).model_fields)}")
        return self

    @model_serializer(mode="wrap")
    def _alone(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the signals that are not named, so that a new kind alters no playbook's revision."""
        return {name: value for name, value in handler(self).items() if value is not None}

    @property
    def signal(self) -> str:
        return self._named()[0]

    @property
    def detector(self) -> Detector:
        detector: Detector = getattr(self, self.signal)
        return detector

    def _named(self) -> list[str]:
        return [name for name in type(self).model_fields if getattr(self, name) is not None]
