"""The path of a call, readable from top to bottom: recording in, analysis out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from app.schemas.analysis import Analysis
from app.schemas.audio import Audio, ChannelKind, ChannelLayout, Span
from app.schemas.call import CallOptions
from app.schemas.conversation import Conversation
from app.schemas.metrics import Metrics
from app.schemas.moment import Moment
from app.schemas.sentiment import Sentiment
from app.schemas.speaker import Speaker
from app.schemas.transcript import Segment, Transcript, Turn
from app.services.alignment_service import align, with_roles
from app.services.annotation_service import annotate
from app.services.audio.windows import SpeechWindow, pack, whole
from app.services.audio_service import AudioService
from app.services.coachable_service import CoachableService
from app.services.metrics_service import measure
from app.services.roles_service import RoleHints, assign_roles
from app.services.stt_service import merge
from app.workers.engines import EngineRun, Engines
from app.workers.progress import Progress


@dataclass(frozen=True)
class CallInput:
    """A recording on this machine, and what is known of it that alters its result."""

    call_id: str
    recording: Path
    options: CallOptions = field(default_factory=CallOptions)
    direction: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stages:
    """What the pipeline works with; ``defaults`` hold where a call asks for nothing."""

    audio: AudioService
    engines: Engines
    coachable: CoachableService
    defaults: CallOptions = field(default_factory=CallOptions)


@dataclass(frozen=True)
class Findings:
    """What the stages made of one recording."""

    transcript: Transcript
    conversation: Conversation
    metrics: Metrics | None
    moments: tuple[Moment, ...]


def process_call(call: CallInput, stages: Stages, scratch: Path, progress: Progress) -> Analysis:
    """Analyse one recording. Reads ``call.recording``, writes only into ``scratch``.

    Raises AudioRejected, EngineUnavailable, StageFailed (decoding, voice activity and transcription);
    trouble in a later stage becomes a warning in the analysis.
    """
    options = call.options.completed(stages.defaults)
    with progress.stage("decode"):
        audio = stages.audio.decode(call.recording, scratch)
    with progress.stage("voice_activity"):
        engines = stages.engines.run(audio, options.language)
    transcript = transcribe(options, engines, progress)
    turns = diarize(transcript, options.num_speakers, engines, progress)
    segments = align(transcript, turns)
    hints = RoleHints(options.agent_channel, call.direction, call.metadata, transcript.language)
    segments, speakers = tell_roles(segments, hints, engines, progress)
    sentiments = judge_sentiment(segments, transcript.language, engines, progress)
    conversation = Conversation(
        audio.duration_s,
        segments,
        sentiments,
        speakers,
        loudness=engines.layout.loudness,
        separate_channels=len(engines.layout.voices) > 1,
        language=transcript.language,
    )
    metrics = measure_conversation(conversation, progress)
    moments = find_moments(call, conversation, metrics, stages.coachable, progress)
    found = Findings(transcript, conversation, metrics, moments)
    return conclude(audio, found, engines, stages.coachable, progress)


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


def tell_roles(
    segments: tuple[Segment, ...], hints: RoleHints, engines: EngineRun, progress: Progress
) -> tuple[tuple[Segment, ...], tuple[Speaker, ...]]:
    """The segments with their speakers' roles, and the speakers."""
    channels = channels_of(segments, engines.layout)
    speakers = tuple(Speaker(name, channel=channel) for name, channel in channels.items())
    with progress.tolerated("roles"):
        speakers = assign_roles(segments, channels, hints)
    return with_roles(segments, speakers), speakers


def channels_of(segments: tuple[Segment, ...], layout: ChannelLayout) -> dict[str, int | None]:
    """For each speaker the channel that it was heard in, None where the recording was heard as one."""
    channels = {segment.speaker: segment.words[0].channel for segment in segments}
    if layout.kind is ChannelKind.ONE_SIDED and len(channels) == 1:
        return dict.fromkeys(channels, layout.voices[0].channel)
    return channels


def judge_sentiment(
    segments: tuple[Segment, ...], language: str | None, engines: EngineRun, progress: Progress
) -> tuple[Sentiment | None, ...]:
    """One sentiment a segment; None where the stage is off, failed or does not know the language."""
    scores: list[Sentiment | None] = [None] * len(segments)
    if engines.choices.sentiment is None or not segments:
        return tuple(scores)
    if not engines.judges_sentiment_in(language):
        label = engines.choices.sentiment.label
        progress.note("sentiment", "unsupported_language", f"{label} cannot judge language {language}")
        return tuple(scores)
    with progress.tolerated("sentiment"):
        scores[:] = engines.analyse_sentiment([segment.text for segment in segments])
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
        return coachable.find(call.call_id, conversation.segments, conversation.language, metrics)
    return ()


def conclude(
    audio: Audio, found: Findings, engines: EngineRun, coachable: CoachableService, progress: Progress
) -> Analysis:
    """Everything in one value, with what a reader should know about how it was made."""
    if audio.damaged:
        progress.fail("decode", "damaged_audio", "a part of the recording could not be read")
    for choice in engines.choices.degraded:
        progress.note(choice.stage, "degraded_engine", choice.reason or "a lesser engine answered")
    transcript, conversation = found.transcript, found.conversation
    segments, call_moments = annotate(conversation, found.moments, coachable.judge)
    return Analysis(
        duration_s=audio.duration_s,
        language=transcript.language if segments else None,
        language_confidence=transcript.language_confidence if segments else None,
        segments=segments,
        engines=engines.choices.labels,
        degraded=bool(engines.choices.degraded),
        warnings=tuple(progress.notices),
        playbook=coachable.playbook_name,
        playbook_revision=coachable.playbook_revision,
        failed_stages=tuple(dict.fromkeys(progress.failed_stages)),
        speakers=conversation.speakers,
        metrics=found.metrics,
        call_moments=call_moments,
        loudness=conversation.loudness,
        separate_channels=conversation.separate_channels,
    )
