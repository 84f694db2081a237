"""The one place where services are made and given to one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app import __version__
from app.core.config import Settings
from app.core.registry import Registry
from app.db.session import Database
from app.db.traces import Traces
from app.schemas.call import CallOptions
from app.services.audio_service import AudioService
from app.services.call_service import CallService
from app.services.catalogue_service import CatalogueService
from app.services.clip_service import ClipService
from app.services.coachable_service import CoachableService
from app.services.coaching_service import CoachingService
from app.services.comment_service import CommentService
from app.services.correction_service import CorrectionService
from app.services.customer_service import CustomerService
from app.services.delivery_service import TIMEOUT_S, DeliveryService
from app.services.diarization.registry import DIARIZATION_ENGINES
from app.services.engine_chain import EngineChain, FetchableEngine
from app.services.ownership import new_owner
from app.services.playbook_library import PlaybookLibrary
from app.services.playbook_service import PlaybookService
from app.services.reading.artefact import calibrations_of
from app.services.reading.registry import READING_ENGINES
from app.services.reanalysis_service import ReanalysisService
from app.services.reconciliation_service import ReconciliationService
from app.services.recording_service import RecordingService
from app.services.reel.renderer import ReelRenderer, scope_of
from app.services.reel_service import ReelService
from app.services.reel_shelf import ReelShelf
from app.services.retention_service import RetentionService
from app.services.review_service import ReviewService
from app.services.room import Room
from app.services.sentiment.registry import SENTIMENT_ENGINES
from app.services.speaker_service import SpeakerService
from app.services.stt.registry import STT_ENGINES
from app.services.transcript_service import TranscriptService
from app.services.trial_service import TrialService
from app.services.tts.cache import SpeechCache
from app.services.tts.registry import TTS_ENGINES
from app.services.tts_service import TtsService
from app.services.waveform_service import WaveformService
from app.services.webhook_service import WebhookService
from app.services.webhooks.addresses import AddressGuard, Allowed
from app.services.webhooks.sender import Sender
from app.services.work_service import WorkService
from app.services.worker_service import WorkerService
from app.storage.base import Storage
from app.storage.intents import intents_of
from app.storage.registry import open_storage
from app.storage.removals import RemovalKeeper
from app.storage.scratch import Scratch, own_folders, scratch_of, working_folder


@dataclass(frozen=True)
class Services:
    """Everything that the API, the workers and the command line work with."""

    settings: Settings
    database: Database
    traces: Traces
    storage: Storage
    scratch: Scratch
    calls: CallService
    work: WorkService
    retention: RetentionService
    reconciliation: ReconciliationService
    customers: CustomerService
    coaching: CoachingService
    workers: WorkerService
    speakers: SpeakerService
    reviews: ReviewService
    comments: CommentService
    corrections: CorrectionService
    transcripts: TranscriptService
    library: PlaybookLibrary
    playbooks: PlaybookService
    trials: TrialService
    reanalyses: ReanalysisService
    audio: AudioService
    coachable: CoachableService
    recordings: RecordingService
    waveforms: WaveformService
    clips: ClipService
    tts: TtsService
    tts_chain: EngineChain
    reels: ReelService
    catalogue: CatalogueService
    webhooks: WebhookService
    deliveries: DeliveryService
    chains: Mapping[str, EngineChain]
    """The engine chains of stt, diarization and, unless they are switched off, reading and sentiment, in
    English and in other languages."""


def build_services(settings: Settings, **overrides: Any) -> Services:
    """Make every service. ``overrides`` replace services by field name.

    Connects to nothing yet, unless PLAYBOOK names no file: then it must be a stored one. Raises
    ConfigurationError for an unknown engine or a playbook that cannot be used.
    """
    database = overrides.get("database") or Database(settings)
    storage = RemovalKeeper(overrides.get("storage") or open_storage(settings))
    audio = overrides.get("audio") or AudioService(settings)
    coachable = overrides.get("coachable") or _coachable(settings)
    tts_chain = overrides.get("tts_chain") or _chain("tts", settings)
    tts: TtsService = overrides.get("tts") or TtsService(
        settings, tts_chain, convert=audio.encode, cache=speech_cache_of(settings)
    )
    traces = Traces(database)
    shelf = _shelf(settings, database, storage)

    def forget_elsewhere(call_id: str) -> None:
        """Whatever holds words of a call beside its rows; its rows are gone."""
        tts.forget(scope_of(call_id))
        shelf.remove_due()
        traces.left()

    owner = new_owner()
    room = Room(settings.max_queued_calls, 0 if settings.queue_url else settings.max_concurrent_calls)
    calls = overrides.get("calls") or CallService(
        database, storage, room=room, forget_elsewhere=forget_elsewhere
    )
    guard = AddressGuard(Allowed.of(settings.webhook_allowed_hosts))
    parts: dict[str, Any] = {
        "database": database,
        "traces": traces,
        "retention": RetentionService(
            database,
            storage,
            audio_days=settings.audio_retention_days,
            text_days=settings.text_retention_days,
            forget_elsewhere=forget_elsewhere,
            remove_withdrawn=shelf.remove_due,
        ),
        "reconciliation": ReconciliationService(database, storage),
        "customers": CustomerService(database, storage, forget_elsewhere=forget_elsewhere),
        "coaching": CoachingService(database),
        "calls": calls,
        "work": WorkService(
            database, storage, owner, lease_s=settings.lease_s, max_attempts=settings.max_attempts
        ),
        "workers": WorkerService(database, owner, lease_s=settings.lease_s),
        "audio": audio,
        "coachable": coachable,
        **_of_words(settings, database, coachable, room),
        "tts": tts,
        "tts_chain": tts_chain,
        **_of_sound(settings, database, storage, calls, audio, tts, shelf, traces),
        "catalogue": _catalogue(settings, database, storage, calls, audio),
        "webhooks": WebhookService(database, guard, settings.webhook_secret),
        "deliveries": _deliveries(settings, database, guard, owner),
        "chains": engine_chains(settings),
    }
    return Services(settings=settings, **{**parts, **overrides, "storage": storage})


def _of_words(
    settings: Settings, database: Database, coachable: CoachableService, room: Room
) -> dict[str, Any]:
    """The services around what is found in words: playbooks, verdicts, corrections, analyses anew."""
    library = PlaybookLibrary(database, coachable, settings)
    library.check_default()
    playbooks = PlaybookService(database, library, settings.playbook_dir)
    return {
        "library": library,
        "playbooks": playbooks,
        "trials": TrialService(database, coachable, library, playbooks),
        "speakers": SpeakerService(database, coachable, library),
        "reviews": ReviewService(database, coachable),
        "comments": CommentService(database),
        "corrections": CorrectionService(database, coachable, library),
        "transcripts": TranscriptService(database),
        "reanalyses": ReanalysisService(database, library, room),
    }


def _of_sound(
    settings: Settings,
    database: Database,
    storage: RemovalKeeper,
    calls: CallService,
    audio: AudioService,
    tts: TtsService,
    shelf: ReelShelf,
    traces: Traces,
) -> dict[str, Any]:
    """The services around what can be heard of calls."""
    scratch = scratch_of(settings)
    recordings = RecordingService(calls, storage, audio)
    reels = ReelService(
        database,
        calls,
        recordings,
        tts,
        shelf,
        ReelRenderer(audio, recordings.local),
        scratch,
        allow_external=settings.allow_external_engines,
        least_confidence=settings.coachable_confidence_threshold,
        locks=working_folder(settings) / "reel-locks",
    )
    return {
        "scratch": scratch,
        "recordings": recordings,
        "waveforms": WaveformService(database, recordings, audio, scratch),
        "reels": reels,
        "clips": ClipService(database, storage, scratch, calls, recordings, left=traces.left),
    }


def _shelf(settings: Settings, database: Database, storage: RemovalKeeper) -> ReelShelf:
    return ReelShelf(
        database,
        storage,
        kept=timedelta(hours=settings.reel_cache_hours),
        limit_bytes=settings.reel_cache_mb * 2**20,
    )


def worker_service_of(settings: Settings) -> WorkerService:
    """Who is at work, and nothing else."""
    return WorkerService(Database(settings), new_owner(), lease_s=settings.lease_s)


def _coachable(settings: Settings) -> CoachableService:
    return CoachableService(settings, calibrations_of(settings), may_be_stored=True)


def _catalogue(
    settings: Settings, database: Database, storage: Storage, calls: CallService, audio: AudioService
) -> CatalogueService:
    return CatalogueService(
        database,
        storage,
        calls,
        audio,
        intents_of(settings),
        most_bytes=settings.max_upload_bytes,
        folders=own_folders(settings),
    )


def _deliveries(settings: Settings, database: Database, guard: AddressGuard, owner: str) -> DeliveryService:
    return DeliveryService(
        database,
        guard,
        Sender(TIMEOUT_S),
        owner,
        secret=settings.webhook_secret,
        retention_days=settings.webhook_retention_days,
        user_agent=f"Darwix-AI/{__version__}",
    )


def engine_chains(settings: Settings) -> dict[str, EngineChain]:
    """The chains of the stages that run in the engine process."""
    return {stage: _chain(stage, settings) for stage in _stages(settings)}


def configured_engines(settings: Settings) -> list[tuple[str, FetchableEngine]]:
    """Every engine that the settings name, with its stage."""
    stages = [*_stages(settings), "tts"]
    return [(stage, engine) for stage in stages for engine in _engines(stage, settings)]


def _stages(settings: Settings) -> list[str]:
    reading = ["reading"] if settings.coachable_classifier != "none" else []
    sentiment = ["sentiment", "sentiment_multilingual"] if settings.sentiment_enabled else []
    return ["stt", "diarization", *reading, *sentiment]


def _chain(stage: str, settings: Settings) -> EngineChain:
    # To whoever reads a result, sentiment is one stage.
    shown = "sentiment" if stage == "sentiment_multilingual" else stage
    return EngineChain(shown, _engines(stage, settings), interval_s=settings.engine_probe_interval_s)


def _engines(stage: str, settings: Settings) -> list[FetchableEngine]:
    registries: dict[str, tuple[Registry[Any], tuple[str, ...]]] = {
        "stt": (STT_ENGINES, settings.stt_provider),
        "diarization": (DIARIZATION_ENGINES, settings.diarization_provider),
        "reading": (READING_ENGINES, (settings.coachable_classifier,)),
        "sentiment": (SENTIMENT_ENGINES, settings.sentiment_provider),
        "sentiment_multilingual": (SENTIMENT_ENGINES, ("multilingual",)),
        "tts": (TTS_ENGINES, settings.tts_provider),
    }
    registry, names = registries[stage]
    return [registry.create(name, settings) for name in names]


def default_options(settings: Settings) -> CallOptions:
    """What holds for calls that ask for nothing else."""
    return CallOptions(
        agent_channel=settings.agent_channel,
        num_speakers=settings.num_speakers,
        vocabulary=settings.vocabulary or None,
    )


def speech_cache_of(settings: Settings) -> SpeechCache:
    return SpeechCache(
        working_folder(settings) / "tts-cache",
        limit_bytes=settings.tts_cache_mb * 2**20,
        kept_s=settings.tts_cache_hours * 3600,
        wait_s=settings.tts_timeout_s,
    )
