"""The path of a call, readable from top to bottom: recording in, analysis out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.schemas.analysis import AnalysedSegment, Analysis
from app.schemas.audio import Audio
from app.schemas.sentiment import Sentiment
from app.schemas.transcript import Segment, Transcript, Turn
from app.services.alignment_service import align
from app.services.audio.windows import SpeechWindow, pack, whole
from app.services.audio_service import AudioService
from app.services.coachable_service import CoachableService
from app.services.stt_service import merge
from app.workers.engines import EngineRun, Engines
from app.workers.progress import Progress


@dataclass(frozen=True)
class CallInput:
    """A recording on this machine and the options that alter its result."""

    call_id: str
    recording: Path
    language: str | None = None


@dataclass(frozen=True)
class Stages:
    """What the pipeline works with."""

    audio: AudioService
    engines: Engines
    coachable: CoachableService


def process_call(call: CallInput, stages: Stages, scratch: Path, progress: Progress) -> Analysis:
    """Analyse one recording. Reads ``call.recording``, writes only into ``scratch``.

    Raises AudioRejected, EngineUnavailable, StageFailed (decoding, voice activity and transcription);
    trouble in a later stage becomes a warning in the analysis.
    """
    with progress.stage("decode"):
        audio = stages.audio.decode(call.recording, scratch)
    engines = stages.engines.run(audio.duration_s, call.language)
    windows = detect_speech(audio, engines, progress)
    transcript = transcribe(audio, windows, call.language, engines, progress)
    turns = diarize(audio, transcript, engines, progress)
    segments = align(transcript, turns)
    sentiments = judge_sentiment(segments, transcript.language, engines, progress)
    analysed = find_moments(call, segments, sentiments, transcript.language, stages.coachable, progress)
    return conclude(audio, transcript, analysed, engines, stages.coachable, progress)


def detect_speech(audio: Audio, engines: EngineRun, progress: Progress) -> tuple[SpeechWindow, ...]:
    """Windows of speech, or of everything for an engine that wants the silence too."""
    with progress.stage("voice_activity"):
        return pack(engines.detect_speech(audio)) if engines.wants_speech_only else whole(audio)


def transcribe(
    audio: Audio,
    windows: tuple[SpeechWindow, ...],
    language: str | None,
    engines: EngineRun,
    progress: Progress,
) -> Transcript:
    """All windows in order; the first one with speech decides the language of the rest."""
    parts: list[Transcript] = []
    with progress.stage("transcribe"):
        for number, window in enumerate(windows, start=1):
            part = engines.transcribe(audio, window, language)
            language = language or (part.language if part.words else None)
            parts.append(part)
            progress.share(number / len(windows))
    return merge(parts)


def diarize(audio: Audio, transcript: Transcript, engines: EngineRun, progress: Progress) -> tuple[Turn, ...]:
    """Who speaks when; one speaker for everything when that cannot be told."""
    turns: tuple[Turn, ...] = ()
    if transcript.words:
        with progress.tolerated("diarization"):
            turns = engines.diarize(audio, transcript)
    return turns or (Turn(0, 0.0, audio.duration_s),)


def judge_sentiment(
    segments: tuple[Segment, ...], language: str | None, engines: EngineRun, progress: Progress
) -> list[Sentiment | None]:
    """One sentiment a segment; None where the stage is off, failed or does not know the language."""
    scores: list[Sentiment | None] = [None] * len(segments)
    if engines.choices.sentiment is None or not segments:
        return scores
    if not engines.judges_sentiment_in(language):
        label = engines.choices.sentiment.label
        progress.note("sentiment", "unsupported_language", f"{label} cannot judge language {language}")
        return scores
    with progress.tolerated("sentiment"):
        scores[:] = engines.analyse_sentiment([segment.text for segment in segments])
    return scores


def find_moments(
    call: CallInput,
    segments: tuple[Segment, ...],
    sentiments: list[Sentiment | None],
    language: str | None,
    coachable: CoachableService,
    progress: Progress,
) -> tuple[AnalysedSegment, ...]:
    """Segments with their moments and whether they are coachable."""
    moments = {}
    with progress.tolerated("moments"):
        moments = coachable.find(call.call_id, segments, language)
    analysed = []
    for segment, sentiment in zip(segments, sentiments, strict=True):
        here = moments.get(segment.index, ())
        analysed.append(AnalysedSegment(segment, sentiment, here, *coachable.judge(here)))
    return tuple(analysed)


def conclude(
    audio: Audio,
    transcript: Transcript,
    segments: tuple[AnalysedSegment, ...],
    engines: EngineRun,
    coachable: CoachableService,
    progress: Progress,
) -> Analysis:
    """Everything in one value, with what a reader should know about how it was made."""
    if audio.damaged:
        progress.fail("decode", "damaged_audio", "a part of the recording could not be read")
    for choice in engines.choices.degraded:
        progress.note(choice.stage, "degraded_engine", choice.reason or "a lesser engine answered")
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
    )
