"""What a reel may be made of, in the words of its forms."""

from __future__ import annotations

from app.schemas.reel import ReelSource

SOURCES = {
    ReelSource.NARRATED: "Narrated: introduction, recording, tip",
    ReelSource.ORIGINAL: "The recording alone",
    ReelSource.TTS: "Read out by a voice",
}
