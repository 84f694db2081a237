"""The real recordings, decoded once for all tests of audio."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.schemas.audio import Audio
from tests.services.audio.recordings import make_decoder, real_recordings


@pytest.fixture(scope="session")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audio]:
    """Samples of every real recording, by file name."""
    decoder = make_decoder()
    recordings = real_recordings()
    folders = [tmp_path_factory.mktemp("decoded") for _ in recordings]
    with ThreadPoolExecutor(2) as pool:
        decoded = pool.map(decoder.decode, (recording.path for recording in recordings), folders)
    return {recording.file: audio for recording, audio in zip(recordings, decoded, strict=True)}
