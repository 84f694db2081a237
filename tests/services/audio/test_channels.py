"""What two channels hold is told apart at any level, and what leaks from one into the other is taken out."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.schemas.audio import SAMPLE_RATE, Audio, ChannelKind, ChannelLayout, Span
from app.services.audio.channels import look_at_channels, without_bleed, without_unused
from app.services.audio.vad import VoiceActivity
from tests.services.audio.recordings import convert, encoders, make_decoder, needs_recordings, write_wav
from tests.services.audio.talk import Samples, db, hum, later, noise, talk, turns, two_channels

SECONDS = 60.0
COUNT = round(SECONDS * SAMPLE_RATE)
AGENT_SAYS, CUSTOMER_SAYS = turns(SECONDS, 1.0, 9.0, 4.0), turns(SECONDS, 5.5, 9.0, 3.0)
AGENT, CUSTOMER = talk(SECONDS, AGENT_SAYS, 1), talk(SECONDS, CUSTOMER_SAYS, 2)
NOTHING = np.zeros(COUNT)
AGENT_FILE, CALLER_FILE = "aws_auto_repairs_49_agent_8k.wav", "aws_auto_repairs_49_caller_8k.wav"


@pytest.fixture(scope="module")
def voice_activity() -> VoiceActivity:
    activity = VoiceActivity()
    activity.load()
    return activity


def layout_of(tmp_path: Path, first: Samples, second: Samples) -> ChannelLayout:
    return look_at_channels(two_channels(tmp_path / "audio.pcm", first, second))


def level_db(samples: Samples) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(samples)))))


def test_one_channel(tmp_path: Path) -> None:
    path = tmp_path / "audio.pcm"
    np.round(AGENT * 32767).astype("<i2").tofile(path)
    audio = Audio(path, COUNT)

    layout = look_at_channels(audio)

    assert (layout.kind, layout.voices) == (ChannelKind.MONO, (audio,))
    assert len(layout.loudness[0]) == SECONDS


@pytest.mark.parametrize("quiet_db", [0, -20, -30, -40])
@pytest.mark.parametrize("quiet", [0, 1])
def test_a_party_in_each_channel_however_quiet_one_is(quiet_db: float, quiet: int, tmp_path: Path) -> None:
    parties = [AGENT, CUSTOMER]
    parties[quiet] = parties[quiet] * db(quiet_db)

    layout = layout_of(tmp_path, *parties)

    assert layout.kind is ChannelKind.SEPARATE
    assert [voice.channel for voice in layout.voices] == [0, 1]
    for voice, said in zip(layout.voices, (AGENT_SAYS, CUSTOMER_SAYS), strict=True):
        spoken = np.concatenate([voice.read(span) for span in said])
        assert level_db(spoken) == pytest.approx(-20, abs=3)
        assert float(np.mean(np.abs(spoken) >= 1.0)) < 0.001


def test_no_party_is_raised_by_more_than_forty_decibels(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, AGENT, CUSTOMER * db(-50))

    assert layout.kind is ChannelKind.SEPARATE
    assert layout.voices[1].gain == pytest.approx(100)


def test_peaks_are_not_clipped_away(tmp_path: Path) -> None:
    peaks = np.where((np.arange(COUNT) % 6400 == 3200) & (CUSTOMER != 0), 0.5, CUSTOMER * db(-20))

    layout = layout_of(tmp_path, AGENT, peaks)

    assert layout.kind is ChannelKind.SEPARATE
    assert layout.voices[1].gain == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize("crosstalk_db", [-15, -25, -35])
@pytest.mark.parametrize("customer_db", [0, -20])
def test_crosstalk_does_not_make_them_the_same(
    crosstalk_db: float, customer_db: float, tmp_path: Path
) -> None:
    customer, leak = CUSTOMER * db(customer_db), db(crosstalk_db)

    layout = layout_of(tmp_path, AGENT + leak * customer, customer + leak * later(AGENT, 0.01))

    assert layout.kind is ChannelKind.SEPARATE
    assert level_db(np.concatenate([layout.voices[1].read(span) for span in CUSTOMER_SAYS])) == pytest.approx(
        -20, abs=3
    )


COPIES = {
    "the_same": lambda voice: voice,
    "fainter": lambda voice: voice * db(-20),
    "much_fainter": lambda voice: voice * db(-40),
    "inverted": lambda voice: -voice,
    "later": lambda voice: later(voice, 0.045),
    "with_noise": lambda voice: voice + noise(len(voice), 5, -40),
    "with_hum": lambda voice: voice + hum(len(voice), -35),
    "with_an_offset": lambda voice: voice + 0.01,
    "dithered": lambda voice: voice + noise(len(voice), 6, -90),
    "clipped": lambda voice: np.clip(voice, -0.2, 0.2),
}


@pytest.mark.parametrize("name", COPIES)
def test_the_same_signal_twice(name: str, tmp_path: Path) -> None:
    both = AGENT + CUSTOMER
    layout = layout_of(tmp_path, both, COPIES[name](both))

    assert layout.kind is ChannelKind.DUAL_MONO
    (voice,) = layout.voices
    assert voice.channel == (0 if name in ("fainter", "much_fainter", "inverted", "later") else None)
    assert level_db(voice.read()) == pytest.approx(level_db(both), abs=1.5)


def test_the_louder_of_two_copies_is_taken(tmp_path: Path) -> None:
    (voice,) = layout_of(tmp_path, AGENT * db(-30), AGENT).voices

    assert voice.channel == 1


@needs_recordings
@pytest.mark.parametrize(
    ("encoder", "ending", "options"),
    [
        ("pcm_mulaw", "wav", "-ar 8000"),
        ("libmp3lame", "mp3", "-ar 8000 -b:a 16k"),
        ("libopus", "opus", "-b:a 6k"),
        ("libopencore_amrnb", "amr", "-ar 8000 -b:a 7.95k"),
    ],
)
@pytest.mark.parametrize("file", ["jfk_16k.wav", "callytics_Call01.wav", "ibm_twospeakers_8k.wav"])
def test_the_same_signal_through_another_codec(
    encoder: str, ending: str, options: str, file: str, decoded: dict[str, Audio], tmp_path: Path
) -> None:
    if encoder not in encoders():
        pytest.skip(f"this ffmpeg cannot make it: no encoder {encoder}")
    samples = decoded[file].read()
    source = write_wav(tmp_path / "a.wav", samples, SAMPLE_RATE)
    coded = convert(source, tmp_path / f"coded.{ending}", "-c:a", encoder, *options.split())
    (tmp_path / "scratch").mkdir()
    copy = make_decoder().decode(coded, tmp_path / "scratch").read()

    assert layout_of(tmp_path, samples, copy).kind is ChannelKind.DUAL_MONO


@needs_recordings
@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("google_two_channel_16k.wav", ChannelKind.SEPARATE),
        ("fw_stereo_two_speakers.wav", ChannelKind.SEPARATE),
        # Labelled as a speaker a channel, but it is one room heard through two microphones.
        ("google_multi_en_es_stereo.wav", ChannelKind.DUAL_MONO),
        ("symbl_phoneNumber_stereo_8k.mp3", ChannelKind.DUAL_MONO),
        ("jfk_44k_stereo.flac", ChannelKind.DUAL_MONO),
        ("librivox_sonnet1_en.mp3", ChannelKind.DUAL_MONO),
        ("uberi_english_stereo_24bit.flac", ChannelKind.DUAL_MONO),
    ],
)
def test_real_recordings(file: str, kind: ChannelKind, decoded: dict[str, Audio]) -> None:
    assert look_at_channels(decoded[file]).kind is kind


SILENCES = {
    "digital": lambda: NOTHING,
    "last_bit": lambda: noise(COUNT, 3, -96),
    "faint_noise": lambda: noise(COUNT, 3, -70),
    "loud_noise": lambda: noise(COUNT, 3, -40),
    "pink_noise": lambda: noise(COUNT, 3, -50, 0.5),
    "rumble": lambda: noise(COUNT, 3, -40, 1.0),
    "hum": lambda: hum(COUNT, -30) + noise(COUNT, 3, -70),
    "noise_switched_on_and_off": lambda: noise(COUNT, 3, -55) * (np.arange(COUNT) // 32000 % 2),
}


@pytest.mark.parametrize("name", SILENCES)
@pytest.mark.parametrize("silent", [0, 1])
def test_one_channel_is_silent(name: str, silent: int, tmp_path: Path) -> None:
    parties = [AGENT + CUSTOMER, AGENT + CUSTOMER]
    parties[silent] = SILENCES[name]()

    layout = layout_of(tmp_path, *parties)

    assert layout.kind is ChannelKind.ONE_SIDED
    (voice,) = layout.voices
    assert (voice.channel, voice.gain) == (1 - silent, 1.0)


def test_one_word_is_enough_to_be_somebody(tmp_path: Path) -> None:
    line = noise(COUNT, 4, -60)
    word = talk(SECONDS, (Span(30, 30.8),), 7, -45)

    assert layout_of(tmp_path, AGENT + line, word + noise(COUNT, 5, -65)).kind is ChannelKind.SEPARATE


def test_nothing_at_all(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, NOTHING, NOTHING)

    assert layout.kind is ChannelKind.DUAL_MONO
    assert layout.loudness == ((-100.0,) * 60,)


@pytest.mark.parametrize("count", [0, 1, 2, 1599, 1600, 1601, 3200])
def test_the_shortest_recordings(count: int, tmp_path: Path) -> None:
    start = 2 * SAMPLE_RATE
    first, second = AGENT[start : start + count], noise(COUNT, 8, -30)[:count]

    same, apart = layout_of(tmp_path, first, first), layout_of(tmp_path, first, second)

    assert same.kind is ChannelKind.DUAL_MONO
    assert apart.kind is not ChannelKind.MONO
    assert [len(levels) for levels in same.loudness] == [count > 0]


@pytest.mark.parametrize("start_s", [1.0, 5.6])
def test_two_hundred_milliseconds_lose_nobody(start_s: float, tmp_path: Path) -> None:
    cut = slice(round(start_s * SAMPLE_RATE), round((start_s + 0.2) * SAMPLE_RATE))
    line = noise(COUNT, 4, -60)

    layout = layout_of(tmp_path, (AGENT + line)[cut], (CUSTOMER + noise(COUNT, 5, -60))[cut])

    assert len(layout.voices) == 2


def test_loudness_by_seconds_before_any_gain(tmp_path: Path) -> None:
    seconds = round(2.5 * SAMPLE_RATE)
    first = np.concatenate((np.full(SAMPLE_RATE, 0.5), np.zeros(SAMPLE_RATE), np.full(8000, 0.25)))
    second = noise(seconds, 9, -30)

    layout = layout_of(tmp_path, first, second)

    assert layout.kind is not ChannelKind.DUAL_MONO
    by_channel = dict(zip((voice.channel for voice in layout.voices), layout.loudness, strict=True))
    assert by_channel[1] == pytest.approx((-30, -30, -30), abs=0.2)
    if 0 in by_channel:
        assert by_channel[0] == (-6.0, -100.0, -12.0)


def seconds_of(spans: tuple[Span, ...], within: tuple[Span, ...] = (Span(0, 1e9),)) -> float:
    return sum(
        max(0.0, min(span.end_s, other.end_s) - max(span.start_s, other.start_s))
        for span in spans
        for other in within
    )


HEARD = turns(SECONDS, 0.0, 5.0, 4.9)
"""What an ear hears in a channel that both are in."""


def test_channels_without_bleed_stay_as_they_are(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, AGENT + noise(COUNT, 4, -65), CUSTOMER + noise(COUNT, 5, -65))
    speech = (AGENT_SAYS, CUSTOMER_SAYS)

    assert without_bleed(layout, speech) == speech


@pytest.mark.parametrize("leak_db", [-15, -25, -35])
@pytest.mark.parametrize("delay_s", [0.0, 0.03])
def test_bleed_is_taken_out(leak_db: float, delay_s: float, tmp_path: Path) -> None:
    leak = db(leak_db)
    layout = layout_of(
        tmp_path,
        AGENT + leak * later(CUSTOMER, delay_s) + noise(COUNT, 4, -70),
        CUSTOMER + leak * later(AGENT, delay_s) + noise(COUNT, 5, -70),
    )

    for spans, own, other in zip(
        without_bleed(layout, (HEARD, HEARD)), (AGENT_SAYS, CUSTOMER_SAYS), (CUSTOMER_SAYS, AGENT_SAYS),
        strict=True,
    ):  # fmt: skip
        assert seconds_of(spans, own) >= 0.98 * seconds_of(HEARD, own)
        assert seconds_of(spans, other) <= 0.05 * seconds_of(HEARD, other)


def test_both_speaking_at_once_survives_bleed(tmp_path: Path) -> None:
    said = turns(SECONDS, 3.0, 9.0, 4.0)
    customer = talk(SECONDS, said, 3)
    layout = layout_of(tmp_path, AGENT + db(-25) * customer, customer + db(-25) * AGENT)

    agent, customers = without_bleed(layout, (AGENT_SAYS, said))

    assert seconds_of(agent, AGENT_SAYS) >= 0.97 * seconds_of(AGENT_SAYS)
    assert seconds_of(customers, said) >= 0.97 * seconds_of(said)


def test_what_both_channels_hold_alike_is_heard_once(tmp_path: Path) -> None:
    notice = talk(SECONDS, (Span(0.2, 0.9),), 9)
    layout = layout_of(tmp_path, AGENT + notice, CUSTOMER + notice)

    first, second = without_bleed(layout, ((Span(0.2, 0.9), *AGENT_SAYS), (Span(0.2, 0.9), *CUSTOMER_SAYS)))

    assert (Span(0.2, 0.9) in first) != (Span(0.2, 0.9) in second)
    assert first[-5:] == AGENT_SAYS[-5:]
    assert second[-5:] == CUSTOMER_SAYS[-5:]


def test_a_single_voice_has_nothing_to_bleed(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, AGENT, AGENT)

    assert without_bleed(layout, (HEARD,)) == (HEARD,)


@needs_recordings
def test_a_real_call_loses_nothing(
    decoded: dict[str, Audio], tmp_path: Path, voice_activity: VoiceActivity
) -> None:
    layout = layout_of(tmp_path, decoded[AGENT_FILE].read(), decoded[CALLER_FILE].read())
    speech = tuple(voice_activity.detect(voice) for voice in layout.voices)

    kept = without_bleed(layout, speech)

    for before, after in zip(speech, kept, strict=True):
        assert seconds_of(after) >= 0.995 * seconds_of(before)


@needs_recordings
@pytest.mark.parametrize("delay_s", [0.0, 0.02])
def test_a_real_call_with_crosstalk(
    delay_s: float, decoded: dict[str, Audio], tmp_path: Path, voice_activity: VoiceActivity
) -> None:
    parties = [decoded[AGENT_FILE].read(), decoded[CALLER_FILE].read()]
    layout = layout_of(
        tmp_path,
        parties[0] + db(-25) * later(parties[1], delay_s),
        parties[1] + db(-25) * later(parties[0], delay_s),
    )
    speech = tuple(voice_activity.detect(voice) for voice in layout.voices)

    kept = without_bleed(layout, speech)

    speaks = [speaking(party) for party in parties]
    for before, after, own, other in zip(speech, kept, speaks, reversed(speaks), strict=True):
        heard, left = frames(before, len(own)), frames(after, len(own))
        assert np.count_nonzero(left & own) >= 0.98 * np.count_nonzero(heard & own)
        near = np.convolve(own, np.ones(51), "same") > 0
        leaked = heard & other & ~near
        assert np.count_nonzero(leaked) > 4000
        assert np.count_nonzero(left & leaked) <= 0.05 * np.count_nonzero(leaked)


def speaking(party: Samples) -> Samples:
    """Frames of 10 ms in which somebody speaks, by the channel's own energy; gaps up to 250 ms closed."""
    levels = np.sqrt(np.mean(np.square(party[: len(party) // 160 * 160].reshape(-1, 160)), axis=1))
    spoken = levels > max(0.008, 0.06 * np.percentile(levels, 98))
    edges = np.flatnonzero(np.diff(np.concatenate(([0], spoken.astype(int), [0]))))
    for end, start in zip(edges[1:-1:2], edges[2::2], strict=True):
        spoken[end:start] |= start - end <= 25
    return spoken


def frames(spans: tuple[Span, ...], count: int) -> Samples:
    inside = np.zeros(count, dtype=bool)
    for span in spans:
        inside[round(span.start_s * 100) : round(span.end_s * 100)] = True
    return inside


PAIR_S = 6.0
SPANS = st.lists(st.floats(0, PAIR_S), max_size=8, unique=True).map(
    lambda times: tuple(Span(a, b) for a, b in list(pairwise(sorted(times)))[::2])
)


@settings(max_examples=40, deadline=None)
@given(st.tuples(SPANS, SPANS), st.sampled_from([0.0, 0.05, 0.3, 1.0]), st.sampled_from([0.001, 0.1, 1.0]))
def test_only_parts_of_the_speech_are_left(
    tmp_path_factory: pytest.TempPathFactory,
    speech: tuple[tuple[Span, ...], ...],
    leak: float,
    level: float,
) -> None:
    first, second = talk(PAIR_S, (Span(0.5, 3),), 1), talk(PAIR_S, (Span(2.5, 5.5),), 2) * level
    folder = tmp_path_factory.mktemp("pair")

    layout = layout_of(folder, first + leak * second, second + leak * first)
    speech = speech[: len(layout.voices)]
    kept = without_bleed(layout, speech)

    assert without_bleed(layout, speech) == kept
    for before, after in zip(speech, kept, strict=True):
        assert all(earlier.end_s <= following.start_s for earlier, following in pairwise(after))
        for span in after:
            assert span.length_s > 0
            assert any(span.start_s >= other.start_s and span.end_s <= other.end_s for other in before)


def test_a_recording_in_which_one_channel_alone_speaks_is_one_sided(tmp_path: Path) -> None:
    voices = tuple(Audio(tmp_path / "never-read", 16000, channel_count=2, channel=at) for at in (0, 1))
    layout = ChannelLayout(ChannelKind.SEPARATE, voices, ((-20.0,), (-50.0,)))
    said = (Span(0.1, 0.8),)
    alone = ChannelLayout(ChannelKind.ONE_SIDED, (voices[1],), ((-50.0,),))
    assert without_unused(layout, ((), said)) == (alone, (said,))
    assert without_unused(layout, (said, said)) == (layout, (said, said))
    assert without_unused(layout, ((), ())) == (layout, ((), ()))
    assert without_unused(alone, (said,)) == (alone, (said,))
