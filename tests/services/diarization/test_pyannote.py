"""The pyannote engine: what is missing and how to get it, and what is made of a pipeline's answer.

A stand-in package speaks pyannote.audio's documented interface, since the real one needs two gigabytes of
libraries. Where the real one is installed, it runs a miniature pipeline too.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from app.core.config import Settings
from app.core.exceptions import EngineUnavailable, StageFailed
from app.schemas.audio import SAMPLE_RATE, Audio, ChannelKind, ChannelLayout
from app.schemas.engine import EngineState
from app.schemas.transcript import Transcript, Turn, Word
from app.services.diarization.base import DiarizationRequest
from app.services.diarization.pyannote import PyannoteEngine, is_complete
from tests.services.diarization.miniature_pipeline import CONFIG, make_pipeline

STAND_IN = """
import json, os
from pathlib import Path

class Segment:
    def __init__(self, start, end):
        self.start, self.end = start, end

class Annotation:
    def __init__(self, tracks):
        self.tracks = tracks
    def itertracks(self, yield_label=False):
        assert yield_label
        for number, (start, end, label) in enumerate(self.tracks):
            yield Segment(start, end), number, label

class DiarizeOutput:
    def __init__(self, tracks):
        self.speaker_diarization = Annotation(tracks)
        self.exclusive_speaker_diarization = Annotation([])

METRICS = os.environ.get("PYANNOTE_METRICS_ENABLED")

class Pipeline:
    @classmethod
    def from_pretrained(cls, checkpoint, revision=None, hparams_file=None, token=None, cache_dir=None):
        made = cls()
        made.folder = Path(checkpoint).parent
        if (made.folder / "broken").exists():
            raise RuntimeError("weights of another size")
        return None if (made.folder / "none").exists() else made

    def __call__(self, file, num_speakers=None, min_speakers=None, max_speakers=None):
        asked = {
            "metrics": METRICS, "shape": list(file["waveform"].shape), "dtype": str(file["waveform"].dtype),
            "sample_rate": file["sample_rate"], "bounds": [num_speakers, min_speakers, max_speakers],
        }
        (self.folder / "asked.json").write_text(json.dumps(asked))
        tracks = json.loads((self.folder / "tracks.json").read_text())
        legacy = (self.folder / "legacy").exists()
        return Annotation(tracks) if legacy else DiarizeOutput(tracks)
"""
SECONDS = 3


def make_settings(**changes: object) -> Settings:
    return Settings(_env_file=None, **changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A complete pipeline, as far as can be seen from outside."""
    made = tmp_path / "pipeline"
    for part in ("segmentation", "embedding", "plda"):
        (made / part).mkdir(parents=True)
        (made / part / "weights.bin").write_bytes(b"0")
    (made / "config.yaml").write_text(CONFIG)
    return made


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if "pyannote.audio" in sys.modules:
        pytest.skip("the real pyannote.audio is in use")
    package = tmp_path / "site" / "pyannote" / "audio"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delenv("PYANNOTE_METRICS_ENABLED", raising=False)
    loaded = {name for name in sys.modules if name.startswith("pyannote")}
    yield
    for name in [name for name in sys.modules if name.startswith("pyannote") and name not in loaded]:
        del sys.modules[name]
    os.environ.pop("PYANNOTE_METRICS_ENABLED", None)


def make_request(tmp_path: Path, num_speakers: int | None = None, words: int = 1) -> DiarizationRequest:
    """Three seconds of a sine in the second of two channels, seen by itself."""
    time = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    both = np.stack((np.zeros_like(time), 0.5 * np.sin(440 * 2 * np.pi * time)), axis=1)
    np.round(both * 32767).astype("<i2").tofile(tmp_path / "audio.pcm")
    voice = Audio(tmp_path / "audio.pcm", len(both), channel_count=2, channel=1)
    said = tuple(Word(f"word{index}", 0.5 + index, 1.0 + index) for index in range(words))
    layout = ChannelLayout(ChannelKind.ONE_SIDED, (voice,), ((-9.0,) * SECONDS,))
    return DiarizationRequest(layout, ((),), Transcript(said, "en"), num_speakers)


def answering(folder: Path, *tracks: tuple[float, float, str]) -> PyannoteEngine:
    (folder / "tracks.json").write_text(json.dumps(tracks))
    return PyannoteEngine(make_settings(pyannote_model=str(folder)))


@pytest.mark.skipif(find_spec("pyannote.audio") is not None, reason="pyannote.audio is installed")
def test_not_installed(folder: Path) -> None:
    seen = PyannoteEngine(make_settings(pyannote_model=str(folder))).availability()

    assert (seen.state, seen.installed) == (EngineState.UNAVAILABLE, False)
    assert seen.fix == 'pip install "darwix-ai[pyannote]"'


@pytest.mark.usefixtures("installed")
def test_a_folder_with_a_pipeline_is_ready(folder: Path) -> None:
    engine = PyannoteEngine(make_settings(pyannote_model=str(folder)))

    assert engine.availability().state is EngineState.READY
    assert engine.label == "pyannote:pipeline"
    assert engine.capabilities.opt_in


@pytest.mark.usefixtures("installed")
def test_a_folder_without_one_is_unavailable(tmp_path: Path) -> None:
    engine = PyannoteEngine(make_settings(pyannote_model=str(tmp_path / "nowhere")))

    seen = engine.availability()

    assert (seen.state, seen.installed) == (EngineState.UNAVAILABLE, True)
    assert seen.reason is not None
    assert str(tmp_path) not in seen.reason
    with pytest.raises(EngineUnavailable):
        engine.load()


@pytest.mark.usefixtures("installed")
def test_without_a_token_the_way_to_one_is_told(tmp_path: Path) -> None:
    engine = PyannoteEngine(make_settings(pyannote_model_dir=tmp_path))

    seen = engine.availability()

    assert seen.state is EngineState.UNAVAILABLE
    assert seen.reason == "its weights are gated and HF_TOKEN is not set"
    assert seen.fix is not None
    assert "/pyannote/speaker-diarization-community-1" in seen.fix
    assert "fetch-models" in seen.fix
    with pytest.raises(StageFailed, match="HF_TOKEN"):
        engine.fetch()


@pytest.mark.parametrize(
    "lacking", ["config.yaml", "segmentation/weights.bin", "embedding/weights.bin", "plda/weights.bin"]
)
def test_every_part_counts(lacking: str, folder: Path) -> None:
    assert is_complete(folder)

    (folder / lacking).unlink()

    assert not is_complete(folder)


@pytest.mark.parametrize(
    "config",
    [
        "",
        "- a",
        "pipeline: 3",
        "pipeline: {params: 3}",
        "{",
        "pipeline:\n  params: {segmentation: acme/other}",
    ],
)
def test_configurations_that_are_none_or_name_parts_elsewhere(config: str, folder: Path) -> None:
    (folder / "config.yaml").write_text(config)

    assert not is_complete(folder)


@pytest.mark.usefixtures("installed")
def test_turns_in_order_with_speakers_as_they_appear(folder: Path, tmp_path: Path) -> None:
    engine = answering(
        folder, (1.0, 2.0, "SPEAKER_00"), (0.2, 1.4, "SPEAKER_01"), (2.5, 99.0, "SPEAKER_00"), (4.0, 5.0, "x")
    )

    turns = engine.diarize(make_request(tmp_path))

    assert turns == (Turn(0, 0.2, 1.4), Turn(1, 1.0, 2.0), Turn(1, 2.5, 3.0))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("num_speakers", "bounds"), [(None, [None, 1, 6]), (3, [3, None, None])])
def test_what_the_pipeline_is_given(
    num_speakers: int | None, bounds: list[int | None], folder: Path, tmp_path: Path
) -> None:
    answering(folder, (0, 1, "a")).diarize(make_request(tmp_path, num_speakers))

    asked = json.loads((folder / "asked.json").read_text())
    assert asked == {
        "metrics": "0",
        "shape": [1, SECONDS * SAMPLE_RATE],
        "dtype": "torch.float32",
        "sample_rate": SAMPLE_RATE,
        "bounds": bounds,
    }


@pytest.mark.usefixtures("installed")
def test_older_versions_answer_with_the_annotation_alone(folder: Path, tmp_path: Path) -> None:
    (folder / "legacy").touch()

    assert answering(folder, (0, 1, "a")).diarize(make_request(tmp_path)) == (Turn(0, 0, 1),)


@pytest.mark.usefixtures("installed")
def test_words_in_which_it_hears_nobody_have_a_turn(folder: Path, tmp_path: Path) -> None:
    assert answering(folder).diarize(make_request(tmp_path, words=2)) == (Turn(0, 0.5, 2.0),)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("flaw", "told"), [("broken", "RuntimeError"), ("none", "is no pipeline")])
def test_a_pipeline_that_cannot_be_loaded(flaw: str, told: str, folder: Path) -> None:
    (folder / flaw).touch()

    with pytest.raises(EngineUnavailable, match=told) as caught:
        PyannoteEngine(make_settings(pyannote_model=str(folder))).load()

    assert str(folder) not in caught.value.detail


class Hub:
    """A model hub on loopback that gives the files of a folder to who shows the right token."""

    TOKEN = "hf_right"
    COMMIT = "0123456789abcdef0123456789abcdef01234567"

    def __init__(self, folder: Path) -> None:
        hub = self
        self.files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
        self.tokens: set[str | None] = set()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.answer(self)

            def do_HEAD(self) -> None:
                hub.answer(self)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.tokens.add(request.headers.get("authorization"))
        known = request.headers.get("authorization") == f"Bearer {self.TOKEN}"
        name = request.path.partition(f"/resolve/{self.COMMIT}/")[2]
        if request.path.startswith("/api/models/"):
            siblings = [{"rfilename": name} for name in self.files]
            content = json.dumps({"id": "acme/voices", "sha": self.COMMIT, "siblings": siblings}).encode()
        else:
            content = self.files[name].read_bytes() if known else b""
        request.send_response(200 if known or request.path.startswith("/api/models/") else 403)
        if not known:
            request.send_header("X-Error-Code", "GatedRepo")
        request.send_header("Content-Length", str(len(content)))
        request.send_header("ETag", '"' + "0" * 40 + '"')
        request.send_header("X-Repo-Commit", self.COMMIT)
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(content)


@pytest.fixture
def hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    made = Hub(folder)
    thread = Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    monkeypatch.setattr(PyannoteEngine, "hub_url", made.url)
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def from_hub(tmp_path: Path, token: str) -> PyannoteEngine:
    return PyannoteEngine(
        make_settings(pyannote_model="acme/voices", pyannote_model_dir=tmp_path / "kept", hf_token=token)
    )


@pytest.mark.usefixtures("installed")
def test_from_fetchable_to_ready_through_a_hub(hub: Hub, tmp_path: Path) -> None:
    engine = from_hub(tmp_path, Hub.TOKEN)
    assert engine.availability().state is EngineState.LOADING

    engine.fetch()

    assert engine.availability().state is EngineState.READY
    assert hub.tokens == {f"Bearer {Hub.TOKEN}"}
    engine.load()


@pytest.mark.usefixtures("installed")
def test_conditions_not_accepted(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="accepted its conditions") as caught:
        from_hub(tmp_path, "hf_wrong").fetch()

    assert "hf_wrong" not in caught.value.detail
    assert from_hub(tmp_path, Hub.TOKEN).availability().state is EngineState.LOADING


@pytest.mark.usefixtures("installed")
def test_a_pipeline_whose_parts_are_elsewhere(hub: Hub, tmp_path: Path) -> None:
    del hub.files["plda/weights.bin"]

    with pytest.raises(StageFailed, match="does not carry all that it needs"):
        from_hub(tmp_path, Hub.TOKEN).fetch()

    assert not (tmp_path / "kept" / "acme--voices").exists()


@pytest.mark.usefixtures("installed")
def test_a_hub_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    monkeypatch.setattr(PyannoteEngine, "hub_url", f"http://127.0.0.1:{port}")

    seen = from_hub(tmp_path, Hub.TOKEN).availability()

    assert seen.state is EngineState.UNAVAILABLE
    assert seen.reason is not None
    assert "cannot be reached" in seen.reason


@pytest.mark.filterwarnings("ignore")
def test_a_real_pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYANNOTE_METRICS_ENABLED", "0")
    pytest.importorskip("pyannote.audio", reason="pyannote.audio is not installed")
    (tmp_path / "real").mkdir()
    engine = PyannoteEngine(make_settings(pyannote_model=str(make_pipeline(tmp_path / "real"))))

    half = 3 * SAMPLE_RATE
    noise = np.random.default_rng(1).standard_normal(half)
    sounds = np.concatenate((noise, np.convolve(noise, np.ones(40), "same"))) * 0.05
    np.round(sounds * 32767).astype("<i2").tofile(tmp_path / "sounds.pcm")
    layout = ChannelLayout(ChannelKind.MONO, (Audio(tmp_path / "sounds.pcm", 2 * half),), ((-20.0,) * 6,))

    for num_speakers in (1, 2):
        turns = engine.diarize(replace(make_request(tmp_path, num_speakers), layout=layout))
        assert {turn.speaker for turn in turns} == set(range(num_speakers))
        assert all(0 <= turn.start_s < turn.end_s <= 6 for turn in turns)
