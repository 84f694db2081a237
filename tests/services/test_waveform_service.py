"""What each party's waveform shows: a channel of its own, or the recording while it speaks."""

from __future__ import annotations

from app.db.repositories.waveforms import Voices
from app.schemas.audio import Span
from app.schemas.metrics import NonTalk
from app.schemas.speaker import Role, Speaker
from app.schemas.waveform import Peaks
from app.services.waveform_service import waveform_of

SILENCE = NonTalk(2.0, 6.0, 4.0, dead_air=False, place="between")
SPEECH = {"speaker_0": (Span(0.0, 0.9), Span(3.2, 3.4)), "speaker_1": (Span(1.5, 2.1), Span(9.0, 99.0))}
PEAKS = Peaks(1.0, (bytes([255, 51, 0, 102, 0, 0, 0, 0, 0, 1]), bytes([0, 0, 102, 204, 0, 0, 0, 0, 0, 51])))


def _peaks(*speakers: Speaker, peaks: Peaks = PEAKS) -> list[tuple[float, ...]]:
    waveform = waveform_of("A", Voices(10.0, speakers, SPEECH, (SILENCE,)), peaks)
    assert (waveform.step_s, waveform.silences) == (1.0, (SILENCE,))
    assert [party.speaker for party in waveform.parties] == [speaker.id for speaker in speakers]
    return [party.peaks for party in waveform.parties]


def test_a_party_with_a_channel_of_its_own_is_that_channel() -> None:
    left, right = _peaks(
        Speaker("speaker_0", Role.AGENT, channel=0), Speaker("speaker_1", Role.CUSTOMER, channel=1)
    )
    assert left == (1.0, 0.2, 0.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.004)
    assert right == (0.0, 0.0, 0.4, 0.8, 0.0, 0.0, 0.0, 0.0, 0.0, 0.2)


def test_parties_in_one_signal_are_shown_while_they_speak() -> None:
    first, second = _peaks(Speaker("speaker_0"), Speaker("speaker_1"))
    assert first == (1.0, 0.0, 0.0, 0.8, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert second == (0.0, 0.2, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.2)
    (alone,) = _peaks(Speaker("speaker_0"), peaks=Peaks(1.0, PEAKS.channels[:1]))
    assert alone == (1.0, 0.0, 0.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def test_parties_that_share_a_channel_are_told_apart_by_time() -> None:
    first, second = _peaks(Speaker("speaker_0", channel=1), Speaker("speaker_1", channel=1))
    assert first == (0.0, 0.0, 0.0, 0.8, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert second == (0.0, 0.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.2)


def test_without_a_word_there_is_no_party() -> None:
    assert _peaks() == []
    assert _peaks(Speaker("speaker_2")) == [(0.0,) * 10]
