"""The diarization facade: turns checked and in order, failing engines translated."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.exceptions import ConfigurationError, EngineUnavailable, StageFailed
from app.schemas.audio import Audio, ChannelKind, ChannelLayout
from app.schemas.engine import Availability, Capabilities
from app.schemas.transcript import Transcript, Turn, Word
from app.services.diarization.base import DiarizationRequest
from app.services.diarization_service import DiarizationService

LAYOUT = ChannelLayout(ChannelKind.MONO, (Audio(Path("never-read.pcm"), 0),), ((),))
SPOKEN = DiarizationRequest(LAYOUT, ((),), Transcript((Word("yes", 0.0, 1.0), Word("no", 2.0, 3.0)), "en"))
SILENT = DiarizationRequest(LAYOUT, ((),), Transcript((), None))


class GivenTurns:
    name = label = "given"
    capabilities = Capabilities()

    def __init__(self, *turns: Turn, error: Exception | None = None) -> None:
        self._turns = turns
        self._error = error

    def availability(self) -> Availability:
        return Availability.ready()

    def fetch(self) -> None:
        """Nothing to fetch."""

    def load(self) -> None:
        if self._error:
            raise self._error

    def unfit(self, layout: ChannelLayout) -> str | None:
        return None

    def diarize(self, request: DiarizationRequest) -> tuple[Turn, ...]:
        if self._error:
            raise self._error
        return self._turns


def make_service(*turns: Turn, error: Exception | None = None) -> DiarizationService:
    return DiarizationService(Settings(_env_file=None), {"given": GivenTurns(*turns, error=error)})


def test_an_engine_of_the_registry_is_made_on_first_use() -> None:
    service = DiarizationService(Settings(_env_file=None))
    service.load("pauses")
    assert service.diarize("pauses", SPOKEN) == (Turn(0, 0.0, 1.0), Turn(1, 2.0, 3.0))


def test_turns_come_in_order_of_time() -> None:
    first, second = Turn(0, 0.0, 1.0), Turn(1, 2.0, 3.0)
    assert make_service(second, first).diarize("given", SPOKEN) == (first, second)


def test_nothing_said_needs_no_engine() -> None:
    assert make_service(error=RuntimeError("not asked")).diarize("given", SILENT) == ()


@pytest.mark.parametrize(
    "turns", [(), (Turn(0, 2.0, 1.0),), (Turn(0, float("nan"), 1.0),), (Turn(0, 0.0, float("inf")),)]
)
def test_turns_that_cannot_be_are_a_failed_stage(turns: tuple[Turn, ...]) -> None:
    with pytest.raises(StageFailed) as caught:
        make_service(*turns).diarize("given", SPOKEN)
    assert caught.value.code == "diarization_failed"


def test_an_engine_that_raises_is_a_failed_stage() -> None:
    service = make_service(error=RuntimeError("/a/path/of/ours"))
    with pytest.raises(StageFailed) as caught:
        service.diarize("given", SPOKEN)
    assert caught.value.stage == "diarization"
    assert "/a/path" not in caught.value.detail
    with pytest.raises(StageFailed):
        service.load("given")


def test_errors_with_a_name_pass_through() -> None:
    service = make_service(error=EngineUnavailable("diarization", "no weights"))
    with pytest.raises(EngineUnavailable):
        service.diarize("given", SPOKEN)
    with pytest.raises(EngineUnavailable):
        service.load("given")


def test_an_unknown_engine_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="pauses"):
        DiarizationService(Settings(_env_file=None)).load("oracle")
