"""Which folder is used for WHISPER_MODEL_SIZE, whether it could be, and what is said where it cannot."""

from __future__ import annotations

import base64
import errno
import gzip
import hashlib
import json
import pickle
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.exceptions import ConfigurationError, StageFailed
from app.schemas.engine import EngineState
from app.services.stt.ctranslate2_folder import MANIFEST, is_intact
from app.services.stt.ctranslate2_weights import CTranslate2Weights
from app.services.stt.whisper_checkpoint import WhisperCheckpoint
from tests.services.stt.makers import MINI, closed_network, closed_port, whisper_settings

LABEL = "faster_whisper:test"
DIGEST = hashlib.sha256(MINI.read_bytes()).hexdigest()


def weights_in(folder: Path, model: Path | str = MINI) -> CTranslate2Weights:
    return CTranslate2Weights(whisper_settings(folder, model))


def converted_to(folder: Path, stem: str = "mini_whisper") -> Path:
    return folder / "models" / "whisper" / "ctranslate2" / f"{stem}-{DIGEST[:12]}"


def forbid_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> None:
        raise AssertionError("converted although there was no need to")

    monkeypatch.setattr("app.services.stt.ctranslate2_weights.convert", fail)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the miniature checkpoint is converted."""
    folder = tmp_path_factory.mktemp("made")
    assert weights_in(folder).folder(LABEL) == converted_to(folder)
    return folder


def publish_as_tiny(monkeypatch: pytest.MonkeyPatch, digest: str = DIGEST) -> None:
    import whisper

    monkeypatch.setitem(whisper._MODELS, "tiny", f"https://weights.invalid/{digest}/tiny.pt")
    heads = np.array([[False, False], [False, True]])
    monkeypatch.setitem(whisper._ALIGNMENT_HEADS, "tiny", base64.b85encode(gzip.compress(heads.tobytes())))


def put_as_tiny(folder: Path) -> Path:
    target = folder / "models" / "whisper" / "tiny.pt"
    target.parent.mkdir(parents=True)
    shutil.copy(MINI, target)
    return target


# Converting


def test_a_checkpoint_is_converted_once(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_intact(converted_to(made))
    forbid_conversion(monkeypatch)
    assert weights_in(made).folder(LABEL) == converted_to(made)
    weights_in(made).fetch(LABEL)


def test_a_harmed_conversion_is_made_anew(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "models", tmp_path / "models")
    model = converted_to(tmp_path) / "model.bin"
    model.write_bytes(model.read_bytes()[:-9] + b"harm done")
    assert not is_intact(converted_to(tmp_path))
    assert is_intact(weights_in(tmp_path).folder(LABEL))


def test_another_checkpoint_of_the_same_name_is_another_folder(made: Path, tmp_path: Path) -> None:
    other = tmp_path / "mini_whisper.pt"
    other.write_bytes(b"other weights")
    with pytest.raises(StageFailed, match="no checkpoint of openai-whisper"):
        weights_in(made, other).folder(LABEL)
    assert is_intact(converted_to(made))


def test_a_size_gets_its_own_alignment_heads_and_outlives_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_as_tiny(monkeypatch)
    checkpoint = put_as_tiny(tmp_path)
    with closed_network() as tried:
        weights_in(tmp_path, "tiny").fetch(LABEL)
    folder = converted_to(tmp_path, "tiny")
    assert json.loads((folder / "config.json").read_text())["alignment_heads"] == [[1, 1]]
    checkpoint.unlink()
    forbid_conversion(monkeypatch)
    with closed_network() as tried:
        alone = weights_in(tmp_path, "tiny")
        assert alone.availability().state is EngineState.READY
        alone.fetch(LABEL)
        assert alone.folder(LABEL) == folder
    assert tried == []
    (folder / "model.bin").write_bytes(bytes((folder / "model.bin").stat().st_size))
    with pytest.raises(StageFailed, match="damaged or gone: fetch them again"):
        alone.folder(LABEL)


def test_a_published_checkpoint_given_by_path_gets_its_heads_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_as_tiny(monkeypatch)
    folder = weights_in(tmp_path).folder(LABEL)
    assert json.loads((folder / "config.json").read_text())["alignment_heads"] == [[1, 1]]


def test_a_damaged_file_of_a_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_as_tiny(monkeypatch, "0" * 64)
    put_as_tiny(tmp_path)
    with pytest.raises(StageFailed, match="damaged: delete it, fetch it again"):
        weights_in(tmp_path, "tiny").folder(LABEL)


class _Payload:
    def __init__(self, target: Path) -> None:
        self._target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._target,))


def test_a_pickle_offered_as_weights_is_not_executed(tmp_path: Path) -> None:
    trap, evil = tmp_path / "executed", tmp_path / "evil.pt"
    evil.write_bytes(pickle.dumps({"dims": _Payload(trap)}))
    with pytest.raises(StageFailed, match="no checkpoint of openai-whisper"):
        weights_in(tmp_path, evil).folder(LABEL)
    assert not trap.exists()
    assert not [path for path in converted_to(tmp_path).parent.iterdir() if path.suffix != ".lock"]


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.ENOSPC, "disk .* is full; free"), (errno.EROFS, "must be a folder that can")],
)
def test_a_disk_that_takes_nothing_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    def refuse(handle: int) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(StageFailed, match=advice) as caught:
        weights_in(tmp_path).folder(LABEL)
    assert str(tmp_path) not in caught.value.detail
    assert not converted_to(tmp_path).exists()


# A folder that is converted already


def test_a_converted_folder_is_used_as_it_is(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "my-whisper.en"
    shutil.copytree(converted_to(made), own)
    (own / MANIFEST).unlink()
    forbid_conversion(monkeypatch)
    given = weights_in(tmp_path, own)
    assert given.availability().state is EngineState.READY
    assert given.folder(LABEL) == own
    assert (given.checkpoint.name, given.checkpoint.languages) == ("my-whisper.en", frozenset({"en"}))


@pytest.mark.parametrize("name", ["tokenizer.json", "model.bin"])
def test_an_incomplete_folder_is_refused_before_the_network_is_asked(
    made: Path, tmp_path: Path, name: str
) -> None:
    own = tmp_path / "my-whisper"
    shutil.copytree(converted_to(made), own)
    (own / name).unlink()
    given = weights_in(tmp_path, own)
    seen = given.availability()
    assert seen.state is EngineState.UNAVAILABLE
    assert name in (seen.reason or "") and "tokenizer.json" in (seen.fix or "")
    with closed_network() as tried, pytest.raises(StageFailed, match=name):
        given.folder(LABEL)
    assert tried == []


# Whether it is usable


def test_a_checkpoint_on_disk_is_ready_with_the_network_closed(tmp_path: Path) -> None:
    put_as_tiny(tmp_path)
    with closed_network() as tried:
        assert weights_in(tmp_path).availability().state is EngineState.READY
        assert weights_in(tmp_path, "tiny").availability().state is EngineState.READY
    assert tried == []


def test_no_weights_and_no_network_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(WhisperCheckpoint, "download_host", ("127.0.0.1", closed_port()))
    seen = weights_in(tmp_path, "base").availability()
    assert seen.state is EngineState.UNAVAILABLE
    assert "python -m app fetch-models" in (seen.fix or "")
    gone = weights_in(tmp_path, tmp_path / "gone.pt").availability()
    assert gone.state is EngineState.UNAVAILABLE and "WHISPER_MODEL_SIZE" in (gone.fix or "")
    with pytest.raises(StageFailed, match="fetch them again"):
        weights_in(tmp_path, "base").folder(LABEL)


@pytest.mark.parametrize("module", ["whisper", "torch"])
def test_what_converts_is_needed_only_to_convert(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    seen = weights_in(tmp_path).availability()
    assert (seen.state, seen.installed) == (EngineState.UNAVAILABLE, False)
    assert module in (seen.reason or "") and "[faster_whisper]" in (seen.fix or "")
    assert weights_in(tmp_path, converted_to(made)).availability().state is EngineState.READY


def test_an_unknown_size_names_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"WHISPER_MODEL_SIZE.*'enormous'.*base.*large-v3"):
        weights_in(tmp_path, "enormous")
