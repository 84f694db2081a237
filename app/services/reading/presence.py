"""Whether the trained reader could work here, found without loading it. For every stage that it serves."""

from __future__ import annotations

from pathlib import Path

from app.core.registry import install_hint, missing_module
from app.schemas.engine import Availability
from app.services.reading.artefact import ArtefactError, ReaderManifest

LIBRARIES = ("onnxruntime", "tokenizers")
FIX = "unset COACHABLE_MODEL_DIR, or put whole trained files there"


def revision_in(folder: Path) -> str:
    """The revision of the trained files; `none` where they cannot be read."""
    try:
        return ReaderManifest.read(folder).revision
    except ArtefactError:
        return "none"


def availability_in(folder: Path, extra: str) -> Availability:
    missing = missing_module(*LIBRARIES)
    if missing:
        return Availability.unavailable(f"{missing} is not installed", install_hint(extra))
    try:
        absent = ReaderManifest.read(folder).missing()
    except ArtefactError as error:
        return Availability.unavailable(f"its trained files are of no use: {error}", FIX)
    if absent:
        return Availability.unavailable(f"its trained file {absent} is not there", FIX)
    return Availability.ready()
