"""One recording of this machine through the pipeline: no server, no database, nothing kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.core.config import Settings
from app.core.exceptions import ValidationFailed
from app.schemas.analysis import Analysis
from app.schemas.call import CallOptions
from app.schemas.languages import ISO_639_1
from app.services.audio_service import AudioService
from app.services.bootstrap import default_options, engine_chains
from app.services.coachable_service import CoachableService
from app.services.reading.artefact import calibrations_of
from app.storage.scratch import scratch_of
from app.workers.engines import Engines
from app.workers.pipeline import CallInput, Stages, process_call
from app.workers.progress import Progress


def analyse_file(
    settings: Settings, file: Path, options: CallOptions, on_share: Callable[[str, float], None]
) -> Analysis:
    """The same analysis as over HTTP. ``on_share`` is told stage and share done. Raises AppError."""
    if options.language is not None and options.language not in ISO_639_1:
        raise ValidationFailed("language must be an ISO 639-1 code such as en")
    audio = AudioService(settings)
    with file.open("rb") as recording:
        audio.check(recording.read(audio.head_bytes), file.stat().st_size)
    coachable = CoachableService(settings, calibrations_of(settings))
    engines = Engines(settings, engine_chains(settings))
    engines.start()
    try:
        with scratch_of(settings).folder() as folder:
            call = CallInput(file.stem, options)
            stages = Stages(audio, engines, coachable, default_options(settings))
            return process_call(call, file, stages, folder, Progress(on_share=on_share))
    finally:
        engines.stop()
