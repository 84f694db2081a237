"""The real recordings, decoded once for all tests of audio."""

from __future__ import annotations

import pytest

from app.schemas.audio import Audio
from tests.services.audio.recordings import make_decoder, real_recordings


@pytest.fixture(scope="session")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audio]:
    """Samples of every real recording, by file name."""
    decoder = make_decoder()
    return {
        recording.file: decoder.decode(recording.path, tmp_path_factory.mktemp("decoded"))
        for recording in real_recordings()
    }
