"""The pipeline with engines that answer, or fail, as they are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from app.core.exceptions import EngineCrashed, EngineUnavailable, StageFailed, UndecodableAudio
from app.schemas.analysis import Analysis, CallStatus
from app.schemas.audio import SAMPLE_RATE, Audio, ChannelKind, ChannelLayout, Span
from app.schemas.call import CallOptions
from app.schemas.engine import EngineChoice
from app.schemas.heard import Heard
from app.schemas.moment import MomentType
from app.schemas.reading import Calibration, MergeWeights, Reading
from app.schemas.sentiment import UNJUDGED, Sentiment, SentimentLabel
from app.schemas.speaker import RoleSource
from app.schemas.transcript import Transcript, Turn, Word
from app.schemas.utterance import Before, Utterance
from app.services.audio.windows import SpeechWindow
from app.services.audio_service import AudioService
from app.services.coachable_service import CoachableService
from app.workers import pipeline
from app.workers.engines import EngineChoices
from app.workers.pipeline import CallInput, Stages, process_call
from app.workers.progress import CallGone, Progress
from tests.process.service import tone
from tests.settings import make_settings

WORDS = "that is too expensive for us"
CALIBRATIONS = {
    "r1": Calibration(
        "r1",
        dict.fromkeys(MomentType, 0.5),
        dict.fromkeys(MomentType, MergeWeights(0.0, 1.0, 0.0, 0.0)),
        frozenset(),
        0.2,
    )
}


class StubRun:
    """Engines of one call: speech in two places, the same words in each; ``broken`` stages raise."""

    wants_speech_only = True
    windows_at_once = 4

    def __init__(self, broken: set[str], spoken: str | None, judged: bool, voices: int) -> None:
        audio = Audio(Path("never-read.pcm"), 30 * SAMPLE_RATE)
        views = (audio,) if voices == 1 else tuple(audio.of_channel(channel) for channel in range(voices))
        kind = ChannelKind.MONO if voices == 1 else ChannelKind.SEPARATE
        self.layout = ChannelLayout(kind, views, ((-20.0,) * 30,) * voices)
        self.speech = ((Span(0.0, 2.0), Span(20.0, 22.0)) if spoken else (),) * voices
        self._broken = broken
        self._spoken = spoken
        self._judged = judged
        self.read: list[tuple[Utterance, ...]] = []
        self.asked: list[tuple[int, str | None, tuple[str, ...]]] = []
        self.choices = EngineChoices(
            stt=EngineChoice("stt", "a", "a:x"),
            diarization=EngineChoice("diarization", "b", "b"),
        )
        self.choice = EngineChoice("sentiment", "c", "c:y", degraded=True, reason="c:y: weaker")

    def _may(self, stage: str) -> None:
        if stage in self._broken:
            raise StageFailed(stage, f"{stage} broke")

    @property
    def refusal(self) -> str | None:
        return None if self._judged else "nobody here judges that"

    def transcribe(
        self,
        work: Sequence[tuple[Audio, SpeechWindow]],
        language: str | None,
        vocabulary: tuple[str, ...] = (),
    ) -> tuple[Transcript, ...]:
        self._may("stt")
        self.asked.append((len(work), language, vocabulary))
        return tuple(self._heard(window, language) for _, window in work)

    def _heard(self, window: SpeechWindow, language: str | None) -> Transcript:
        words = []
        for piece in window.pieces:
            for at, text in enumerate((self._spoken or "").split()):
                start_s = piece.start_s + 0.3 * at
                words.append(Word(text, start_s, start_s + 0.25, channel=window.channel))
        return Transcript(tuple(words), language or "en", 0.9)

    def diarize(self, transcript: Transcript, num_speakers: int | None) -> tuple[Turn, ...]:
        self._may("diarization")
        self.num_speakers = num_speakers
        if len(self.layout.voices) > 1:
            return (Turn(0, 0.0, 30.0, 0), Turn(1, 0.0, 30.0, 1))
        return (Turn(0, 0.0, 10.0), Turn(1, 10.0, 30.0))

    def analyse(self, utterances: Sequence[Utterance]) -> list[Sentiment]:
        self._may("sentiment")
        return [Sentiment(SentimentLabel.NEGATIVE, 0.8, 0.1, 0.1, 0.8) for _ in utterances]


class StubReader:
    """Reads hesitation into every utterance; remembers what it was asked."""

    choice = EngineChoice("reading", "embedding", "embedding:r1")

    def __init__(self, run: StubRun) -> None:
        self._run = run

    def speaks(self, language: str | None) -> bool:
        return language == "en"

    def read(self, utterances: Sequence[Utterance], language: str | None) -> list[Reading | None]:
        self._run._may("reading")
        self._run.read.append(tuple(utterances))
        types = {kind.value: 0.0 for kind in MomentType} | {"hesitation": 0.9}
        return [Reading("r1", each.role, types, {"price": 1.0}) for each in utterances]


class StubEngines:
    def __init__(self, run: StubRun) -> None:
        self._run = run

    def run(self, audio: Audio, language: str | None, stopped: Event) -> StubRun:
        self._run._may("voice_activity")
        return self._run

    def judge(self, duration_s: float, stopped: Event, language: str | None) -> StubRun:
        return self._run

    def reader(self, duration_s: float, stopped: Event) -> StubReader | None:
        if "reader" in self._run._broken:
            raise EngineUnavailable("reading", "its trained file is not there")
        return None if "no reader" in self._run._broken else StubReader(self._run)


def analyse(
    tmp_path: Path,
    *broken: str,
    spoken: str | None = WORDS,
    judged: bool = True,
    voices: int = 1,
    options: CallOptions | None = None,
) -> Analysis:
    run = StubRun(set(broken), spoken, judged, voices)
    call = CallInput("CALL-1", options or CallOptions())
    return process_call(call, recording(tmp_path), stages_of(tmp_path, run), scratch(tmp_path), Progress())


def stages_of(tmp_path: Path, run: StubRun) -> Stages:
    settings = make_settings(tmp_path)
    return Stages(AudioService(settings), StubEngines(run), CoachableService(settings, CALIBRATIONS))  # type: ignore[arg-type]


def recording(tmp_path: Path) -> Path:
    path = tmp_path / "call"
    path.write_bytes(tone(30, rate=8000))
    return path


def scratch(tmp_path: Path) -> Path:
    path = tmp_path / "scratch"
    path.mkdir(exist_ok=True)
    return path


def test_everything_comes_together(tmp_path: Path) -> None:
    analysis = analyse(tmp_path)
    assert analysis.status is CallStatus.COMPLETED
    assert [a.segment.speaker for a in analysis.segments] == ["speaker_0", "speaker_1"]
    assert [a.coachable_type for a in analysis.segments] == ["objection", "objection"]
    assert analysis.transcript == f"{WORDS} {WORDS}"
    named = {"stt": "a:x", "sentiment": "c:y", "diarization": "b", "reading": "embedding:r1"}
    assert analysis.engines == named
    assert analysis.degraded
    assert [notice.code for notice in analysis.warnings] == ["degraded_engine"]
    ids = [moment.id for a in analysis.segments for moment in a.moments]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("stage", ["sentiment", "diarization"])
def test_trouble_after_the_transcript_leaves_a_result_that_names_the_stage(
    tmp_path: Path, stage: str
) -> None:
    analysis = analyse(tmp_path, stage)
    assert analysis.status is CallStatus.COMPLETED_WITH_WARNINGS
    assert analysis.failed_stages == (stage,)
    assert analysis.transcript == f"{WORDS} {WORDS}"
    assert f"{stage}_failed" in [notice.code for notice in analysis.warnings]
    if stage == "sentiment":
        assert [a.sentiment for a in analysis.segments] == [None, None]
    else:
        assert {a.segment.speaker for a in analysis.segments} == {"speaker_0"}


@pytest.mark.parametrize("stage", ["stt", "voice_activity"])
def test_without_a_transcript_there_is_no_result(tmp_path: Path, stage: str) -> None:
    with pytest.raises(StageFailed):
        analyse(tmp_path, stage)


def test_nobody_speaks(tmp_path: Path) -> None:
    analysis = analyse(tmp_path, spoken=None)
    assert analysis.no_speech
    assert analysis.status is CallStatus.COMPLETED
    assert (analysis.transcript, analysis.language) == ("", None)


def test_a_language_that_the_sentiment_engine_cannot_judge_is_not_guessed(tmp_path: Path) -> None:
    analysis = analyse(tmp_path, judged=False)
    assert [a.sentiment for a in analysis.segments] == [UNJUDGED, UNJUDGED]
    assert (UNJUDGED.label, UNJUDGED.score) == (SentimentLabel.NEUTRAL, None)
    assert analysis.metrics is not None
    assert analysis.metrics.sentiment.score is None
    assert analysis.status is CallStatus.COMPLETED
    assert "unsupported_language" in [notice.code for notice in analysis.warnings]


def test_the_reader_is_told_the_role_and_the_turn_before_and_its_readings_are_kept(tmp_path: Path) -> None:
    run = StubRun(set(), WORDS, judged=True, voices=2)
    options = CallOptions(agent_channel=1)
    stages = stages_of(tmp_path, run)
    call = CallInput("CALL-1", options)
    analysis = process_call(call, recording(tmp_path), stages, scratch(tmp_path), Progress())
    assert run.read == [
        (
            Utterance(WORDS, "customer", None),
            Utterance(WORDS, "agent", Before("customer", WORDS)),
            Utterance(WORDS, "customer", Before("agent", WORDS)),
            Utterance(WORDS, "agent", Before("customer", WORDS)),
        )
    ]
    assert analysis.engines["reading"] == "embedding:r1"
    assert [a.reading and a.reading.role for a in analysis.segments] == ["customer", "agent"] * 2
    assert analysis.conversation.readings == tuple(a.reading for a in analysis.segments)
    told = {(moment.type, moment.source) for moment in analysis.moments if moment.segment is not None}
    assert ("objection", "rule") in told


def test_readings_that_still_hold_are_not_made_again(tmp_path: Path) -> None:
    run = StubRun(set(), WORDS, judged=True, voices=2)
    call, stages = CallInput("CALL-1", CallOptions(agent_channel=1)), stages_of(tmp_path, run)
    heard = pipeline.hear(call, recording(tmp_path), stages, scratch(tmp_path), Progress())
    first = pipeline.analyse(call, heard, stages, Progress())
    run.read.clear()
    again = replace(heard, readings=first.conversation.readings)
    assert pipeline.analyse(call, again, stages, Progress()) == first
    assert run.read == []
    one, two, _, four = first.conversation.readings
    assert one is not None
    assert two is not None
    stale = (replace(one, role="agent"), replace(two, revision="r0"), None, four)
    assert pipeline.analyse(call, replace(heard, readings=stale), stages, Progress()) == first
    assert [len(asked) for asked in run.read] == [3]


def test_without_a_classifier_the_rules_go_on_alone_and_the_result_says_so(tmp_path: Path) -> None:
    analysis = analyse(tmp_path, "reader")
    assert analysis.degraded
    [told] = [notice for notice in analysis.warnings if notice.stage == "reading"]
    assert (told.code, told.message) == (
        "degraded_engine",
        "moments in words are found by rules alone: its trained file is not there",
    )
    assert analysis.engines["reading"] == "none"
    assert "objection" in [moment.type for moment in analysis.moments]
    assert analysis.status is CallStatus.COMPLETED


def test_a_classifier_that_is_switched_off_is_not_spoken_of(tmp_path: Path) -> None:
    analysis = analyse(tmp_path, "no reader")
    assert "reading" not in analysis.engines
    assert "reading" not in [notice.stage for notice in analysis.warnings]


def test_a_classifier_that_fails_leaves_the_rules(tmp_path: Path) -> None:
    analysis = analyse(tmp_path, "reading")
    assert analysis.failed_stages == ("reading",)
    assert "objection" in [moment.type for moment in analysis.moments]


def test_a_language_that_the_classifier_cannot_read_is_noted(tmp_path: Path) -> None:
    analysis = analyse(tmp_path, options=CallOptions(language="it"))
    assert [a.reading for a in analysis.segments] == [None, None]
    assert ("reading", "unsupported_language") in [(each.stage, each.code) for each in analysis.warnings]


def test_parties_in_channels_of_their_own_are_never_confused(tmp_path: Path) -> None:
    analysis = analyse(tmp_path, voices=2, options=CallOptions(agent_channel=1))
    said = [(a.segment.speaker, a.segment.role, a.segment.text) for a in analysis.segments]
    assert said == [("speaker_0", "customer", WORDS), ("speaker_1", "agent", WORDS)] * 2
    assert [{word.channel for word in a.segment.words} for a in analysis.segments] == [{0}, {1}] * 2
    assert [(s.id, s.channel, s.role_source) for s in analysis.speakers] == [
        ("speaker_0", 0, RoleSource.CHANNEL),
        ("speaker_1", 1, RoleSource.CHANNEL),
    ]
    assert analysis.separate_channels


@pytest.mark.parametrize("stage", ["roles", "metrics"])
def test_roles_and_metrics_may_fail(tmp_path: Path, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(pipeline, {"roles": "assign_roles", "metrics": "measure"}[stage], broken)
    analysis = analyse(tmp_path)
    assert analysis.failed_stages == (stage,)
    assert analysis.transcript == f"{WORDS} {WORDS}"
    assert [speaker.id for speaker in analysis.speakers] == ["speaker_0", "speaker_1"]
    assert (analysis.metrics is None) is (stage == "metrics")


def test_silence_of_the_call_belongs_to_no_segment(tmp_path: Path) -> None:
    moments = [moment for moment in analyse(tmp_path).moments if moment.type == "dead_air"]
    assert [moment.segment for moment in moments] == [None] * len(moments)
    assert [round(m.evidence.start_s) for m in moments] == [2]


def test_windows_go_several_at_once_as_soon_as_the_language_is_known() -> None:
    run = StubRun(set(), "yes", judged=True, voices=1)
    run.speech = (tuple(Span(30.0 * at, 30.0 * at + 20.0) for at in range(10)),)
    options = CallOptions(vocabulary=("Darwix",))
    heard = pipeline.transcribe(options, run, Progress())  # type: ignore[arg-type]
    names = ("Darwix",)
    assert run.asked == [(1, None, names), (4, "en", names), (4, "en", names), (1, "en", names)]
    assert [round(word.start_s) for word in heard.words] == [30 * at for at in range(10)]
    run.asked.clear()
    pipeline.transcribe(CallOptions(language="de"), run, Progress())  # type: ignore[arg-type]
    assert run.asked == [(4, "de", ()), (4, "de", ()), (2, "de", ())]


def test_what_was_heard_is_kept_after_each_stage_and_never_heard_again(tmp_path: Path) -> None:
    kept = list[Heard]()
    run = StubRun(set(), WORDS, judged=True, voices=1)
    call, stages = CallInput("CALL-1"), stages_of(tmp_path, run)
    place = (recording(tmp_path), stages, scratch(tmp_path))
    heard = pipeline.hear(call, *place, Progress(), keep=kept.append)
    assert [found.turns is None for found in kept] == [True, False]
    assert kept[-1] == heard
    run.asked.clear()
    again = pipeline.hear(call, *place, Progress(), earlier=kept[0])
    assert (again, run.asked) == (heard, [])
    analysis = pipeline.analyse(call, heard, stages, Progress())
    scratch(tmp_path).joinpath("source").unlink(missing_ok=True)
    assert analysis == process_call(call, *place, Progress())


def test_a_warning_of_the_first_stages_is_in_a_result_that_others_finish(tmp_path: Path) -> None:
    run = StubRun({"diarization"}, WORDS, judged=True, voices=1)
    call, stages = CallInput("CALL-1"), stages_of(tmp_path, run)
    heard = pipeline.hear(call, recording(tmp_path), stages, scratch(tmp_path), Progress())
    analysis = pipeline.analyse(call, heard, stages, Progress())
    assert analysis.failed_stages == ("diarization",)
    mended = heard.without("diarization")
    assert (mended.turns, mended.failed_stages, mended.notices) == (None, (), ())


def test_speakers_that_another_engine_tells_bear_its_name(tmp_path: Path) -> None:
    run = StubRun({"diarization"}, WORDS, judged=True, voices=1)
    run.choices = EngineChoices(
        stt=EngineChoice("stt", "a", "a:x", degraded=True, reason="a:x: weaker"),
        diarization=EngineChoice("diarization", "b", "b", degraded=True, reason="b: a guess"),
    )
    call, stages = CallInput("CALL-1"), stages_of(tmp_path, run)
    place = (recording(tmp_path), stages, scratch(tmp_path))
    heard = pipeline.hear(call, *place, Progress())
    assert heard.engines == {"stt": "a:x", "diarization": "b"}
    assert [notice.stage for notice in heard.degraded] == ["stt", "diarization"]
    mending = StubRun(set(), WORDS, judged=True, voices=1)
    mending.choices = EngineChoices(
        stt=EngineChoice("stt", "z", "z"), diarization=EngineChoice("diarization", "c", "c")
    )
    again = pipeline.hear(
        call, place[0], stages_of(tmp_path, mending), place[2], Progress(), heard.without("diarization")
    )
    assert again.engines == {"stt": "a:x", "diarization": "c"}
    assert (again.degraded, again.failed_stages) == (heard.degraded[:1], ())
    assert again.turns


@pytest.mark.parametrize(
    "stage", ["decode", "voice_activity", "transcribe", "diarization", "sentiment", "moments"]
)
def test_work_that_is_stopped_ends_before_the_next_stage(tmp_path: Path, stage: str) -> None:
    run = StubRun(set(), WORDS, judged=True, voices=1)
    entered = list[str]()

    def enter(name: str, percent: float) -> bool:
        entered.append(name)
        if name == stage:
            progress.stop()
        return True

    progress = Progress(on_stage=enter)
    with pytest.raises((CallGone, UndecodableAudio)):
        process_call(
            CallInput("CALL-1"), recording(tmp_path), stages_of(tmp_path, run), scratch(tmp_path), progress
        )
        progress.check()
    assert entered[-1] == stage


def test_an_engine_that_is_lost_is_a_failure_of_the_stage_on_the_last_attempt_alone(tmp_path: Path) -> None:
    for last in (False, True):
        progress = Progress()
        progress.last_attempt = last
        if last:
            with progress.tolerated("sentiment"):
                raise EngineCrashed("sentiment")
            assert progress.failed_stages == ["sentiment"]
        else:
            with pytest.raises(EngineCrashed), progress.tolerated("sentiment"):
                raise EngineCrashed("sentiment")
