"""Who speaks when in real calls; odd recordings; the same answer every time."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.config import Settings
from app.core.exceptions import EngineUnavailable
from app.schemas.audio import SAMPLE_RATE, Audio, ChannelKind, ChannelLayout, Span
from app.schemas.engine import EngineState
from app.schemas.transcript import Transcript, Turn, Word
from app.services.diarization import embedding, voiceprint
from app.services.diarization.base import DiarizationRequest
from app.services.diarization.embedding import VoiceEncoder, level_gain
from app.services.diarization.listening import listen
from app.services.diarization.voiceprint import VoiceprintEngine, numbered
from tests.services.audio.recordings import SHARED, convert, make_decoder, needs_recordings, write_wav
from tests.services.diarization.calls import (
    AGENT,
    CALLER,
    Samples,
    Times,
    ask,
    engine,
    samples_of,
    speakers_of,
    store,
    times_by_energy,
    voice_activity,
)


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Samples]:
    folder = tmp_path_factory.mktemp("sides")
    return {"agent": samples_of(AGENT, folder / "a"), "caller": samples_of(CALLER, folder / "c")}


@pytest.fixture(scope="module")
def mix(sides: dict[str, Samples], tmp_path_factory: pytest.TempPathFactory) -> Audio:
    return store((sides["agent"] + sides["caller"]) / 2, tmp_path_factory.mktemp("mix") / "mix.pcm")


@pytest.fixture(scope="module")
def turns_of_mix(mix: Audio) -> tuple[Turn, ...]:
    return ask(mix)


def error_rate(truth: Times, turns: tuple[Turn, ...]) -> float:
    """Diarization error rate without a collar, overlap counted."""
    from pyannote.core import Annotation, Segment
    from pyannote.metrics.diarization import DiarizationErrorRate

    reference, hypothesis = Annotation(), Annotation()
    for track, (start, end, name) in enumerate(truth):
        reference[Segment(start, end), track] = name
    for track, turn in enumerate(turns):
        hypothesis[Segment(turn.start_s, turn.end_s), track] = str(turn.speaker)
    whole = Segment(0.0, max(end for _, end, _ in truth) + 60.0)
    return float(DiarizationErrorRate()(reference, hypothesis, uem=whole))


def labelled(file: str) -> Times:
    entries: list[dict[str, Any]] = json.loads((SHARED / "manifest.json").read_text("utf-8"))
    entry = next(entry for entry in entries if entry["file"] == file)
    return [(part["start"], part["end"], part["speaker"]) for part in entry["segments"]]


def assert_sound(turns: tuple[Turn, ...], audio: Audio) -> None:
    assert [turn.start_s for turn in turns] == sorted(turn.start_s for turn in turns)
    for turn in turns:
        assert 0.0 <= turn.start_s < turn.end_s <= audio.duration_s + 1e-9
    appearing = list(dict.fromkeys(turn.speaker for turn in turns))
    assert appearing == list(range(len(appearing)))


@needs_recordings
def test_a_real_call_with_overlap(
    sides: dict[str, Samples], mix: Audio, turns_of_mix: tuple[Turn, ...]
) -> None:
    assert_sound(turns_of_mix, mix)
    assert speakers_of(turns_of_mix) == {0, 1}
    assert error_rate(times_by_energy(sides), turns_of_mix) <= 0.12


@needs_recordings
@pytest.mark.parametrize("quieter", ["agent", "caller"])
def test_a_party_20_db_below_the_other(quieter: str, sides: dict[str, Samples], tmp_path: Path) -> None:
    levelled = [side * (0.1 if name == quieter else 1.0) for name, side in sides.items()]
    turns = ask(store(sum(levelled) / 2, tmp_path / "mix.pcm"))
    assert speakers_of(turns) == {0, 1}
    assert error_rate(times_by_energy(sides), turns) <= 0.15


@needs_recordings
def test_overlap_is_given_to_both(sides: dict[str, Samples], turns_of_mix: tuple[Turn, ...]) -> None:
    spoken = np.zeros((2, 24_000), dtype=bool)
    for turn in turns_of_mix:
        spoken[turn.speaker, round(turn.start_s * 100) : round(turn.end_s * 100)] = True
    true = np.zeros((2, 24_000), dtype=bool)
    for start, end, name in times_by_energy(sides):
        true[int(name == "caller"), round(start * 100) : round(end * 100)] = True
    claimed, both = spoken.all(axis=0), true.all(axis=0)
    assert (claimed & both).sum() >= both.sum() / 3
    assert (claimed & both).sum() >= 0.6 * claimed.sum()


@needs_recordings
@pytest.mark.parametrize(
    ("file", "most"),
    [("callytics_Call01.wav", 0.2), ("ami_dev00.wav", 0.25), ("falcon_three_speakers.wav", 0.08)],
)
def test_labelled_recordings(file: str, most: float, tmp_path: Path) -> None:
    truth = labelled(file)
    audio = store(samples_of(file, tmp_path / "decoded"), tmp_path / "a.pcm")
    turns = ask(audio)
    assert_sound(turns, audio)
    assert len(speakers_of(turns)) == len({name for _, _, name in truth})
    assert error_rate(truth, turns) <= most


@needs_recordings
@pytest.mark.parametrize(
    "file",
    ["azure_voicemail_mulaw_8k.wav", "deepgram_preamble_22k.wav", "librivox_simplicissimus_de.mp3", AGENT],
)
def test_one_speaker_is_one(file: str, tmp_path: Path) -> None:
    turns = ask(store(samples_of(file, tmp_path / "decoded"), tmp_path / "a.pcm"))
    assert speakers_of(turns) == {0}


@needs_recordings
@pytest.mark.parametrize("number", [1, 2, 3, 6])
def test_a_given_number_is_obeyed_also_of_one_voice(number: int, tmp_path: Path) -> None:
    audio = store(samples_of("deepgram_preamble_22k.wav", tmp_path / "decoded"), tmp_path / "a.pcm")
    turns = ask(audio, num_speakers=number)
    assert_sound(turns, audio)
    assert len(speakers_of(turns)) == number


@needs_recordings
def test_wav_and_flac_of_the_same_samples_give_the_same_turns_each_time(
    sides: dict[str, Samples], tmp_path: Path
) -> None:
    mix = (sides["agent"] + sides["caller"])[: 60 * SAMPLE_RATE] / 2
    wav = write_wav(tmp_path / "call.wav", mix, SAMPLE_RATE)
    flac = convert(wav, tmp_path / "call.flac")
    found = []
    for number, path in enumerate((wav, flac, wav)):
        folder = tmp_path / str(number)
        folder.mkdir()
        found.append(ask(make_decoder().decode(path, folder)))
    assert found[0] == found[1] == found[2]
    assert speakers_of(found[0]) == {0, 1}


@needs_recordings
@pytest.mark.parametrize("seconds", [0.05, 0.2, 0.5, 1.0, 2.0])
def test_short_recordings(seconds: float, sides: dict[str, Samples], tmp_path: Path) -> None:
    audio = store(sides["agent"][30 * SAMPLE_RATE :][: round(seconds * SAMPLE_RATE)], tmp_path / "a.pcm")
    everything = (Span(0.0, audio.duration_s),)
    for number in (None, 2):
        turns = ask(audio, speech=everything, num_speakers=number)
        assert_sound(turns, audio)
        assert 1 <= len(speakers_of(turns)) <= (number or 1)


@needs_recordings
def test_a_speaker_who_never_stops(sides: dict[str, Samples], tmp_path: Path) -> None:
    """Two minutes without a breath, as touching stretches of 30 s."""
    side = sides["caller"].reshape(-1, 160)
    loud = side[np.sqrt(np.mean(np.square(side), axis=1)) > 0.02].reshape(-1)
    audio = store(np.tile(loud, 5)[: 120 * SAMPLE_RATE], tmp_path / "a.pcm")
    stretches = tuple(Span(start, start + 30.0) for start in (0.0, 30.0, 60.0, 90.0))
    turns = ask(audio, speech=stretches)
    assert speakers_of(turns) == {0}
    assert sum(turn.end_s - turn.start_s for turn in turns) >= 0.98 * audio.duration_s


@pytest.mark.parametrize("number", [None, 1, 4])
def test_no_speech_and_no_words_give_no_turns(number: int | None, tmp_path: Path) -> None:
    assert ask(store(np.zeros(SAMPLE_RATE), tmp_path / "a.pcm"), num_speakers=number, speech=()) == ()
    assert ask(store(np.zeros(0), tmp_path / "b.pcm"), num_speakers=number, speech=()) == ()


def test_silence_that_is_called_speech_has_a_speaker(tmp_path: Path) -> None:
    audio = store(np.zeros(3 * SAMPLE_RATE), tmp_path / "a.pcm")
    assert speakers_of(ask(audio, speech=(Span(0.5, 2.5),))) <= {0}


def test_words_where_no_speech_was_heard_go_to_the_nearest_speaker(tmp_path: Path) -> None:
    words = (Word("so", 0.2, 0.4), Word("well", 0.9, 1.2))
    assert ask(store(np.zeros(2 * SAMPLE_RATE), tmp_path / "a.pcm"), words=words, speech=()) == (
        Turn(0, 0.2, 0.4),
        Turn(0, 0.9, 1.2),
    )


@needs_recordings
def test_only_the_first_voice_is_listened_to(sides: dict[str, Samples], tmp_path: Path) -> None:
    first, second = (store(side, tmp_path / name) for name, side in sides.items())
    layout = ChannelLayout(ChannelKind.SEPARATE, (first, second), ((), ()))
    speech = tuple(voice_activity().detect(audio) for audio in (first, second))
    request = DiarizationRequest(layout, speech, Transcript((), None))
    assert engine().diarize(request) == ask(first)
    assert engine().unfit(layout) is None


def test_speakers_are_numbered_as_they_appear() -> None:
    turns = [Turn(2, 3.0, 4.0), Turn(5, 0.0, 1.0), Turn(2, 1.0, 2.0), Turn(0, 2.5, 9.0)]
    assert numbered(turns) == (
        Turn(0, 0.0, 1.0),
        Turn(1, 1.0, 2.0),
        Turn(2, 2.5, 9.0),
        Turn(1, 3.0, 4.0),
    )


@pytest.mark.parametrize(
    ("mean_square", "gain"), [(1e-4, 10.0), (1e-3, 1.0), (0.1, 1.0), (0.0, 1.0), (1e-5, 100.0)]
)
def test_level_is_only_raised(mean_square: float, gain: float) -> None:
    assert level_gain(mean_square) == pytest.approx(gain)


def test_voices_have_unit_length_and_do_not_depend_on_what_follows(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    mel = np.abs(chance.normal(0.0, 0.01, (300, 40))).astype(np.float32)
    encoder = VoiceEncoder(threads=1)
    voices = encoder.voices(mel, np.array([0, 100, 290]))
    assert voices.shape == (2, 3, 256)
    assert np.linalg.norm(voices, axis=2) == pytest.approx(np.ones((2, 3)), abs=1e-5)
    mel[80:] = 0.0
    again = encoder.voices(mel, np.array([0]))
    assert again[0, 0] == pytest.approx(voices[0, 0], abs=1e-6)
    assert not np.allclose(again[1, 0], voices[1, 0], atol=1e-3)


def test_threads_side_by_side_hear_the_same_voices() -> None:
    mel = np.abs(np.random.default_rng(0).normal(0.0, 0.01, (1200, 40))).astype(np.float32)
    starts = np.arange(0, 1000, 20)
    one, three = (VoiceEncoder(threads).voices(mel, starts) for threads in (1, 3))
    assert np.array_equal(one, three)


@needs_recordings
def test_blocks_do_not_change_what_is_heard(
    sides: dict[str, Samples], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = store(sides["agent"][: 30 * SAMPLE_RATE], tmp_path / "a.pcm")
    spans = voice_activity().detect(audio)
    whole = listen(audio, spans, engine()._encoder)
    monkeypatch.setattr("app.services.diarization.listening.BLOCK_FRAMES", 777)
    parts = listen(audio, spans, engine()._encoder)
    assert np.array_equal(whole.frames, parts.frames)
    assert whole.levels == pytest.approx(parts.levels)
    assert whole.log_mel == pytest.approx(parts.log_mel, abs=0.02)
    assert whole.voices == pytest.approx(parts.voices, abs=1e-4)


def test_the_encoder_is_in_the_package_with_its_licence() -> None:
    assert embedding.WEIGHTS.stat().st_size < 6_000_000
    licence = embedding.WEIGHTS.with_name("LICENSE.resemblyzer").read_text("utf-8")
    assert "Apache License" in licence
    digest = hashlib.sha256(embedding.WEIGHTS.read_bytes()).hexdigest()
    assert digest == "b4fc8ef0682c6d679075ddcc427691a6159ce674d62e8770bde1632342d08b2c"


def test_availability(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = VoiceprintEngine(Settings(_env_file=None))
    assert made.availability().state is EngineState.READY
    assert (made.name, made.label, made.capabilities.lesser) == ("voiceprint", "voiceprint:ge2e", None)
    monkeypatch.setattr(voiceprint, "WEIGHTS", tmp_path / "none.onnx")
    assert made.availability().state is EngineState.UNAVAILABLE
    monkeypatch.setattr(embedding, "WEIGHTS", tmp_path / "none.onnx")
    with pytest.raises(EngineUnavailable):
        made.load()
