"""The path of a call, readable from top to bottom: recording in, analysis out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.core.exceptions import EngineUnavailable
from app.schemas.analysis import Analysis, Notice
from app.schemas.audio import Audio, ChannelKind, Span
from app.schemas.call import CallOptions
from app.schemas.conversation import Conversation
from app.schemas.engine import EngineChoice
from app.schemas.heard import Heard
from app.schemas.metrics import Metrics
from app.schemas.moment import Moment
from app.schemas.reading import Reading
from app.schemas.sentiment import UNJUDGED, Sentiment
from app.schemas.speaker import Speaker
from app.schemas.transcript import Segment, Transcript, Turn
from app.schemas.utterance import Utterance
from app.schemas.waveform import Peaks
from app.services.alignment_service import align, with_roles
from app.services.annotation_service import annotate
from app.services.audio.windows import SpeechWindow, pack, whole
from app.services.audio_service import AudioService
from app.services.coachable.compiled_playbook import CompiledPlaybook
from app.services.coachable_service import CoachableService
from app.services.metrics_service import measure
from app.services.roles_service import RoleHints, assign_roles
from app.services.stt_service import merge
from app.services.utterances import utterances_of
from app.workers.engines import EngineRun, Engines, SentimentRun
from app.workers.progress import Progress


@dataclass(frozen=True)
class CallInput:
    """What is known of a recording that alters its result; without a ``playbook`` the default one holds."""

    call_id: str
    options: CallOptions = field(default_factory=CallOptions)
    direction: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    playbook: CompiledPlaybook | None = None


@dataclass(frozen=True)
class Stages:
    """What the pipeline works with; ``defaults`` hold where a call asks for nothing."""

    audio: AudioService
    engines: Engines
    coachable: CoachableService
    defaults: CallOptions = field(default_factory=CallOptions)


Keep = Callable[[Heard], None]
"""Told what was heard so far, so that nobody has to hear it again."""
KeepPeaks = Callable[[Peaks], None]
"""Told how loud the recording is."""


def process_call(
    call: CallInput, recording: Path, stages: Stages, scratch: Path, progress: Progress
) -> Analysis:
    """Analyse one recording. Reads ``recording``, writes only into ``scratch``. Raises as ``hear`` does."""
    heard = hear(call, recording, stages, scratch, progress)
    return analyse(call, heard, stages, progress)


def hear(
    call: CallInput,
    recording: Path,
    stages: Stages,
    scratch: Path,
    progress: Progress,
    earlier: Heard | None = None,
    keep: Keep = lambda _: None,
    keep_peaks: KeepPeaks | None = None,
) -> Heard:
    """The stages that need the recording; a transcript that ``earlier`` holds is not made again.

    Raises AudioRejected, EngineUnavailable, StageFailed (decoding, voice activity and transcription) and
    CallGone; trouble with the speakers becomes a warning.
    """
    options = call.options.completed(stages.defaults)
    with progress.stage("decode"):
        audio = stages.audio.decode(recording, scratch, progress.stopped.is_set)
        if keep_peaks is not None:
            keep_peaks(stages.audio.peaks(audio))
    with progress.stage("voice_activity"):
        engines = stages.engines.run(audio, options.language, progress.stopped)
    heard = earlier or note_heard(audio, transcribe(options, engines, progress), engines)
    keep(heard)
    progress.resume(heard)
    turns = diarize(heard.transcript, options.num_speakers, engines, progress)
    heard = note_turns(heard, turns, engines.choices.diarization, progress)
    keep(heard)
    return heard


def analyse(call: CallInput, heard: Heard, stages: Stages, progress: Progress) -> Analysis:
    """The stages that need words alone. Trouble in any of them becomes a warning in the analysis."""
    progress.resume(heard)
    segments, speakers = tell_speakers(call, heard, stages, progress)
    utterances = utterances_of(segments)
    readings, reader = read(utterances, heard, stages, progress)
    judge = stages.engines.judge(heard.duration_s, progress.stopped, heard.transcript.language)
    sentiments = judge_sentiment(utterances, judge, progress)
    conversation = Conversation(
        heard.duration_s,
        segments,
        sentiments,
        speakers,
        loudness=heard.loudness,
        separate_channels=heard.separate_channels,
        language=heard.transcript.language,
        readings=readings,
    )
    is_timed = heard.told is None or heard.told.is_timed
    metrics = measure_conversation(conversation, progress) if is_timed else None
    moments = find_moments(call, conversation, metrics, stages.coachable, progress)
    judges = [choice for choice in (reader, judge and judge.choice) if choice]
    return conclude(call, heard, conversation, metrics, moments, judges, stages.coachable, progress)


def transcribe(options: CallOptions, engines: EngineRun, progress: Progress) -> Transcript:
    """Every signal in windows of speech, or of everything for an engine that wants the silence too.

    In order of time across the signals, several at once for an engine that takes them so. Without a given
    language, the windows are heard one by one until one with words has decided it for the rest.
    """
    work = [
        (voice, window)
        for voice, stretches in zip(engines.layout.voices, engines.speech, strict=True)
        for window in windows_of(voice, stretches, engines)
    ]
    work.sort(key=lambda item: item[1].pieces[0].start_s)
    language = options.language
    parts: list[Transcript] = []
    with progress.stage("transcribe"):
        while len(parts) < len(work):
            several = engines.windows_at_once if language else 1
            batch = work[len(parts) : len(parts) + several]
            parts += engines.transcribe(batch, language, options.vocabulary or ())
            language = language or next((part.language for part in parts if part.words), None)
            progress.share(len(parts) / len(work))
    return merge(parts)


def note_heard(audio: Audio, transcript: Transcript, engines: EngineRun) -> Heard:
    """What later stages need of the recording and of those who heard it."""
    layout, choices = engines.layout, engines.choices
    one_sided = layout.kind is ChannelKind.ONE_SIDED
    return Heard(
        duration_s=audio.duration_s,
        damaged=audio.damaged,
        transcript=transcript,
        engines=choices.labels,
        degraded=tuple(degraded(choice) for choice in choices.degraded),
        loudness=layout.loudness,
        separate_channels=len(layout.voices) > 1,
        only_channel=layout.voices[0].channel if one_sided else None,
    )


def note_turns(
    heard: Heard, turns: tuple[Turn, ...], choice: EngineChoice | None, progress: Progress
) -> Heard:
    """Who speaks when, and by whose word: that may be another engine than when the rest was heard."""
    others = {stage: label for stage, label in heard.engines.items() if stage != "diarization"}
    lesser = tuple(notice for notice in heard.degraded if notice.stage != "diarization")
    return replace(
        heard,
        turns=turns,
        engines={**others, **({choice.stage: choice.label} if choice else {})},
        degraded=(*lesser, *([degraded(choice)] if choice and choice.degraded else [])),
        notices=tuple(progress.notices),
        failed_stages=tuple(progress.failed_stages),
    )


def windows_of(voice: Audio, stretches: tuple[Span, ...], engines: EngineRun) -> tuple[SpeechWindow, ...]:
    """What the engine is given of one signal; the channel is named only where there are several."""
    channel = voice.channel if len(engines.layout.voices) > 1 else None
    if engines.wants_speech_only:
        return pack(stretches, channel=channel)
    return whole(voice, channel=channel)


def diarize(
    transcript: Transcript, num_speakers: int | None, engines: EngineRun, progress: Progress
) -> tuple[Turn, ...]:
    """Who speaks when; one speaker for everything when that cannot be told."""
    if transcript.words:
        with progress.tolerated("diarization"):
            return engines.diarize(transcript, num_speakers)
    return ()


def tell_speakers(
    call: CallInput, heard: Heard, stages: Stages, progress: Progress
) -> tuple[tuple[Segment, ...], tuple[Speaker, ...]]:
    """Who said what in which role; what is told of it already stays as it is."""
    told = heard.told
    if told is not None and told.speakers is not None:
        return told.segments, told.speakers
    segments = told.segments if told else align(heard.transcript, heard.turns or ())
    options = call.options.completed(stages.defaults)
    hints = RoleHints(options.agent_channel, call.direction, call.metadata, heard.transcript.language)
    return tell_roles(segments, hints, heard, progress)


def tell_roles(
    segments: tuple[Segment, ...], hints: RoleHints, heard: Heard, progress: Progress
) -> tuple[tuple[Segment, ...], tuple[Speaker, ...]]:
    """The segments with their speakers' roles, and the speakers."""
    channels = channels_of(segments, heard.only_channel)
    speakers = tuple(Speaker(name, channel=channel) for name, channel in channels.items())
    with progress.tolerated("roles"):
        speakers = assign_roles(segments, channels, hints)
    return with_roles(segments, speakers), speakers


def channels_of(segments: tuple[Segment, ...], only_channel: int | None) -> dict[str, int | None]:
    """For each speaker the channel that it was heard in, None where the recording was heard as one."""
    channels = {segment.speaker: segment.words[0].channel for segment in segments}
    return (
        dict.fromkeys(channels, only_channel) if len(channels) == 1 and only_channel is not None else channels
    )


def read(
    utterances: tuple[Utterance, ...], heard: Heard, stages: Stages, progress: Progress
) -> tuple[tuple[Reading | None, ...], EngineChoice | None]:
    """One reading a segment and who read; none where the stage is off, failed or does not know the language.

    Without a classifier that works, the rules alone find moments in words, and the result says so.
    """
    readings = standing_readings(utterances, heard, stages.coachable)
    language = heard.transcript.language
    try:
        reader = stages.engines.reader(heard.duration_s, progress.stopped)
    except EngineUnavailable as error:
        reason = f"moments in words are found by rules alone: {error.detail}"
        return readings, EngineChoice("reading", "none", "none", degraded=True, reason=reason)
    if reader is None:
        return (None,) * len(utterances), None
    if utterances and not reader.speaks(language):
        label = reader.choice.label
        progress.note("reading", "unsupported_language", f"{label} cannot read language {language}")
        return readings, None
    new = [place for place, reading in enumerate(readings) if reading is None]
    if new:
        with progress.tolerated("reading"):
            made = dict(zip(new, reader.read([utterances[place] for place in new], language), strict=True))
            readings = tuple(reading or made.get(place) for place, reading in enumerate(readings))
    return readings, reader.choice


def standing_readings(
    utterances: tuple[Utterance, ...], heard: Heard, coachable: CoachableService
) -> tuple[Reading | None, ...]:
    """Of the readings of an earlier analysis those that still hold: for the same role, by the same reader."""
    earlier = heard.readings or (None,) * len(utterances)
    return tuple(
        reading if reading and reading.role == utterance.role and coachable.counts(reading) else None
        for utterance, reading in zip(utterances, earlier, strict=True)
    )


def judge_sentiment(
    utterances: tuple[Utterance, ...], judge: SentimentRun | None, progress: Progress
) -> tuple[Sentiment | None, ...]:
    """One sentiment a segment: None where the stage is off or failed, NEUTRAL with no score where no engine
    knows the language."""
    scores: list[Sentiment | None] = [None] * len(utterances)
    if judge is None or not utterances:
        return tuple(scores)
    if judge.refusal is not None:
        progress.note("sentiment", "unsupported_language", judge.refusal)
        return (UNJUDGED,) * len(utterances)
    with progress.tolerated("sentiment"):
        scores[:] = judge.analyse(utterances)
    return tuple(scores)


def measure_conversation(conversation: Conversation, progress: Progress) -> Metrics | None:
    """Talk, turns, pace and the rest; None when that failed."""
    with progress.tolerated("metrics"):
        return measure(conversation)
    return None


def find_moments(
    call: CallInput,
    conversation: Conversation,
    metrics: Metrics | None,
    coachable: CoachableService,
    progress: Progress,
) -> tuple[Moment, ...]:
    """Moments in words and, where there are metrics, in time."""
    with progress.tolerated("moments"):
        return coachable.find(
            call.call_id,
            conversation.segments,
            conversation.language,
            metrics,
            call.playbook,
            sentiments=conversation.sentiments,
            readings=conversation.readings,
        )
    return ()


def conclude(
    call: CallInput,
    heard: Heard,
    conversation: Conversation,
    metrics: Metrics | None,
    moments: tuple[Moment, ...],
    judges: Sequence[EngineChoice],
    coachable: CoachableService,
    progress: Progress,
) -> Analysis:
    """Everything in one value, with what a reader should know about how it was made."""
    playbook = call.playbook or coachable.default
    if heard.damaged:
        progress.fail("decode", "damaged_audio", "a part of the recording could not be read")
    lesser = [*heard.degraded, *(degraded(judge) for judge in judges if judge.degraded)]
    segments, call_moments = annotate(conversation, moments, coachable.judge)
    transcript = heard.transcript
    return Analysis(
        duration_s=heard.duration_s,
        language=transcript.language if segments else None,
        language_confidence=transcript.language_confidence if segments else None,
        segments=segments,
        engines={**heard.engines, **{judge.stage: judge.label for judge in judges}},
        degraded=bool(lesser),
        warnings=(*progress.notices, *lesser),
        playbook=playbook.name,
        playbook_revision=playbook.revision,
        failed_stages=tuple(dict.fromkeys(progress.failed_stages)),
        speakers=conversation.speakers,
        metrics=metrics,
        call_moments=call_moments,
        loudness=conversation.loudness,
        separate_channels=conversation.separate_channels,
    )


def degraded(choice: EngineChoice) -> Notice:
    """That a lesser engine answered, and why."""
    return Notice(choice.stage, "degraded_engine", choice.reason or "a lesser engine answered")
