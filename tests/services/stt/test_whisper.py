"""The Whisper engine on a real, miniature checkpoint: exact text, language and times; weights and network."""

from __future__ import annotations

import base64
import gzip
import hashlib
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.exceptions import ConfigurationError, StageFailed, UnsupportedLanguage
from app.schemas.engine import EngineState
from app.schemas.transcript import Transcript, join_words
from app.services.stt.base import SttRequest
from app.services.stt.whisper import WhisperEngine
from app.services.stt.whisper_checkpoint import SIZES, WhisperCheckpoint
from app.services.stt.whisper_dialect import LANGUAGES
from app.services.stt_service import SttService
from tests.services.stt.makers import (
    MINI,
    SENTENCES,
    Spoken,
    closed_network,
    closed_port,
    request_for,
    silence,
    spoken,
    whisper_settings,
    window_of,
    write_trap,
)

PAUSE_S = 0.6


@pytest.fixture(scope="module")
def mini() -> WhisperEngine:
    engine = WhisperEngine(whisper_settings(Path("unused")))
    engine.load()
    return engine


def one_after_another(*names: str) -> tuple[list[Spoken], list[float], np.ndarray[Any, Any]]:
    """The sentences with pauses between them, and the second at which each begins."""
    said = [spoken(name) for name in names]
    parts, begins = [], []
    for sentence in said:
        begins.append(sum(map(len, parts)) / 16_000)
        parts += [sentence.samples, silence(PAUSE_S)]
    return said, begins, np.concatenate(parts)


def segments_of(heard: Transcript) -> list[tuple[str, float, float]]:
    found, words = [], []
    for word in heard.words:
        words.append(word)
        if word.ends_segment:
            found.append((join_words(words), words[0].start_s, words[-1].end_s))
            words = []
    assert not words
    return found


# What it hears


@pytest.mark.parametrize("name", SENTENCES)
def test_each_sentence_comes_out_word_for_word(mini: WhisperEngine, name: str) -> None:
    sentence = spoken(name)
    heard = mini.transcribe(request_for(np.concatenate([sentence.samples, silence(PAUSE_S)])))
    assert join_words(heard.words) == sentence.text
    assert [word.text for word in heard.words] == [text for text, _, _ in sentence.words]
    assert heard.language == "en"
    assert heard.language_confidence is not None and heard.language_confidence > 0.9
    assert all(word.confidence is not None and word.confidence > 0.5 for word in heard.words)
    ((_, start_s, end_s),) = segments_of(heard)
    assert start_s == pytest.approx(sentence.words[0][1], abs=0.1)
    assert end_s == pytest.approx(sentence.words[-1][2], abs=0.1)


@pytest.mark.parametrize(
    "names",
    [SENTENCES, tuple(reversed(SENTENCES)), ("question", "promise"), ("objection", "greeting", "question")],
)
def test_sentences_in_a_row_become_segments_in_their_places(
    mini: WhisperEngine, names: tuple[str, ...]
) -> None:
    said, begins, samples = one_after_another(*names)
    found = segments_of(mini.transcribe(request_for(samples)))
    assert [text for text, _, _ in found] == [sentence.text for sentence in said]
    for (_, start_s, end_s), sentence, begins_s in zip(found, said, begins, strict=True):
        assert start_s == pytest.approx(begins_s, abs=0.1)
        assert end_s == pytest.approx(begins_s + sentence.words[-1][2], abs=0.1)


def test_every_word_is_near_its_place(mini: WhisperEngine) -> None:
    said, begins, samples = one_after_another(*SENTENCES)
    truth = [
        (begins_s + start_s, begins_s + end_s)
        for sentence, begins_s in zip(said, begins, strict=True)
        for _, start_s, end_s in sentence.words
    ]
    heard = mini.transcribe(request_for(samples)).words
    off = [abs(word.start_s - start) for word, (start, _) in zip(heard, truth, strict=True)]
    assert max(off) < 0.25
    assert float(np.median(off)) < 0.06


def test_the_library_alone_reads_the_checkpoint_alike() -> None:
    import whisper

    said, begins, samples = one_after_another("greeting", "objection")
    model = whisper.load_model(str(MINI), device="cpu")
    result = model.transcribe(samples, fp16=False, condition_on_previous_text=False)
    assert result["language"] == "en"
    assert [segment["text"].strip() for segment in result["segments"]] == [one.text for one in said]
    for segment, sentence, begins_s in zip(result["segments"], said, begins, strict=True):
        assert segment["start"] == pytest.approx(begins_s, abs=0.1)
        assert segment["end"] == pytest.approx(begins_s + sentence.words[-1][2], abs=0.1)


def test_the_facade_maps_it_to_the_recording(tmp_path: Path) -> None:
    service = SttService(whisper_settings(tmp_path, stt_provider=("whisper",)))
    service.load("whisper")
    first, second = spoken("greeting"), spoken("objection")
    pieces = [np.concatenate([one.samples, silence(0.2)]) for one in (first, second)]
    window = window_of(*map(len, pieces), begins_s=7.0, gap_s=30.0)
    heard = service.transcribe("whisper", [SttRequest(np.concatenate(pieces), None, window)])[0]
    assert join_words(heard.words) == f"{first.text} {second.text}"
    starts = {word.text: word.start_s for word in heard.words}
    assert starts["Thank"] == pytest.approx(7.0, abs=0.1)
    assert starts["That"] == pytest.approx(window.pieces[1].start_s, abs=0.1)


def test_silence_and_next_to_nothing_are_no_words(mini: WhisperEngine) -> None:
    for samples in (silence(0), silence(0.001), silence(2), silence(28)):
        assert mini.transcribe(request_for(samples)).words == ()


def test_a_language_asked_for_is_obeyed_without_detecting(
    mini: WhisperEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mini, "_detected", None)
    heard = mini.transcribe(request_for(spoken("greeting").samples, language="de"))
    assert (heard.language, heard.language_confidence) == ("de", None)


def test_an_uncertain_decoder_falls_back_the_same_way_every_time(mini: WhisperEngine) -> None:
    """Noise makes Whisper draw at higher temperatures; what was heard before must not matter."""
    noise = np.random.default_rng(3).standard_normal(48_000).astype(np.float32) * 0.3
    clear = spoken("promise").samples
    first, between, again = (mini.transcribe(request_for(each)) for each in (noise, clear, noise))
    assert first == again
    assert join_words(between.words) == spoken("promise").text


def test_nothing_is_printed_and_nothing_warned(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    engine = WhisperEngine(whisper_settings(tmp_path))
    engine.load()
    engine.transcribe(request_for(spoken("greeting").samples))
    assert capfd.readouterr() == ("", "")
    assert [str(warning.message) for warning in recwarn] == []


# Which checkpoint


def test_sizes_and_files_are_those_of_the_library() -> None:
    import whisper

    assert {size: url.rsplit("/", 1)[-1] for size, url in whisper._MODELS.items()} == SIZES
    hosts = {url.split("/")[2] for url in whisper._MODELS.values()}
    assert hosts == {WhisperCheckpoint.download_host[0]}


def test_languages_are_those_of_the_library() -> None:
    from whisper.tokenizer import LANGUAGES as KNOWN

    assert (LANGUAGES - {"jv"}) | {"jw", "yue"} == set(KNOWN)


@pytest.mark.parametrize(
    ("choice", "label"),
    [
        ("base", "whisper:base"),
        ("turbo", "whisper:turbo"),
        ("small.en", "whisper:small.en"),
        ("/somewhere/calls-2026.pt", "whisper:calls-2026"),
        ("calls.en.pt", "whisper:calls.en"),
    ],
)
def test_label_and_languages_follow_the_setting(tmp_path: Path, choice: str, label: str) -> None:
    engine = WhisperEngine(whisper_settings(tmp_path, choice))
    assert engine.label == label
    assert engine.capabilities.speaks("en")
    assert engine.capabilities.speaks("de") is (".en" not in choice)
    assert not engine.capabilities.speaks("xx")


def test_an_unknown_size_names_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"WHISPER_MODEL_SIZE.*'enormous'.*base.*large-v3"):
        WhisperEngine(whisper_settings(tmp_path, "enormous"))


def test_an_english_only_checkpoint_says_so(mini: WhisperEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(mini._model), "is_multilingual", False)
    with pytest.raises(UnsupportedLanguage):
        mini.transcribe(request_for(silence(1), language="de"))


# Whether it is usable


def test_weights_on_disk_are_ready_with_the_network_closed(tmp_path: Path) -> None:
    (tmp_path / "models" / "whisper").mkdir(parents=True)
    (tmp_path / "models" / "whisper" / "base.pt").write_bytes(b"weights")
    with closed_network() as tried:
        assert WhisperEngine(whisper_settings(tmp_path, "base")).availability().state is EngineState.READY
        assert WhisperEngine(whisper_settings(tmp_path, MINI)).availability().state is EngineState.READY
    assert tried == []


def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_no_weights_and_no_network_is_unavailable_with_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_proxy(monkeypatch)
    monkeypatch.setattr(WhisperCheckpoint, "download_host", ("127.0.0.1", closed_port()))
    seen = WhisperEngine(whisper_settings(tmp_path, "base")).availability()
    assert seen.state is EngineState.UNAVAILABLE
    assert "WHISPER_MODEL_DIR" in (seen.fix or "") and "python -m app fetch-models" in (seen.fix or "")
    assert str(tmp_path) not in f"{seen.reason} {seen.fix}"


def test_a_host_that_never_answers_costs_no_more_than_the_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_proxy(monkeypatch)
    monkeypatch.setattr(WhisperCheckpoint, "connect_timeout_s", 0.2)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        callers = [socket.socket() for _ in range(4)]
        for caller in callers:  # fill the queue of connections that nobody takes
            caller.setblocking(False)
            caller.connect_ex(deaf.getsockname())
        monkeypatch.setattr(WhisperCheckpoint, "download_host", deaf.getsockname())
        began = time.perf_counter()
        seen = WhisperEngine(whisper_settings(tmp_path, "base")).availability()
        took_s = time.perf_counter() - began
        for caller in callers:
            caller.close()
    assert seen.state is EngineState.UNAVAILABLE
    assert took_s >= 0.2


def test_a_host_that_answers_makes_the_weights_fetchable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_proxy(monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(WhisperCheckpoint, "download_host", server.getsockname())
        seen = WhisperEngine(whisper_settings(tmp_path, "base")).availability()
    assert seen.state is EngineState.LOADING


def test_behind_a_proxy_the_proxy_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_proxy(monkeypatch)
    monkeypatch.setattr(WhisperCheckpoint, "download_host", ("weights.invalid", 443))
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.getsockname()[1]}")
        seen = WhisperEngine(whisper_settings(tmp_path, "base")).availability()
    assert seen.state is EngineState.LOADING


def test_a_path_without_a_file_is_unavailable(tmp_path: Path) -> None:
    with closed_network() as tried:
        seen = WhisperEngine(whisper_settings(tmp_path, tmp_path / "gone.pt")).availability()
    assert seen.state is EngineState.UNAVAILABLE
    assert str(tmp_path) not in f"{seen.reason} {seen.fix}"
    assert tried == []


def test_looking_imports_no_library(tmp_path: Path) -> None:
    code = (
        "import sys; from app.core.config import Settings; "
        "from app.services.stt.whisper import WhisperEngine; "
        "engine = WhisperEngine(Settings(_env_file=None, whisper_model_size=sys.argv[1])); "
        "engine.availability(); "
        "sys.exit(bool({'torch', 'whisper', 'numpy', 'numba'} & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[3]
    assert subprocess.run([sys.executable, "-c", code, str(MINI)], cwd=root, check=False).returncode == 0


# Fetching and loading


def publish(monkeypatch: pytest.MonkeyPatch, content: bytes, *, size: str = "tiny") -> list[str]:
    """Make ``content`` the published checkpoint of ``size``; returns where it gets downloaded to."""
    import whisper

    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setitem(whisper._MODELS, size, f"https://weights.invalid/{digest}/{size}.pt")
    downloads: list[str] = []

    def download(url: str, root: str, in_memory: bool) -> str:
        assert url == whisper._MODELS[size] and not in_memory
        downloads.append(root)
        time.sleep(0.05)
        target = Path(root, f"{size}.pt")
        target.parent.mkdir(parents=True)
        target.write_bytes(content)
        return str(target)

    monkeypatch.setattr(whisper, "_download", download)
    return downloads


def test_a_fetched_checkpoint_appears_whole_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloads = publish(monkeypatch, b"weights")
    engines = [WhisperEngine(whisper_settings(tmp_path, "tiny")) for _ in range(4)]
    fetching = [threading.Thread(target=engine.fetch) for engine in engines]
    for thread in fetching:
        thread.start()
    for thread in fetching:
        thread.join()
    folder = tmp_path / "models" / "whisper"
    assert (folder / "tiny.pt").read_bytes() == b"weights"
    assert len(downloads) == 1
    assert [path.name for path in folder.iterdir() if not path.name.endswith(".lock")] == ["tiny.pt"]


def test_what_an_earlier_download_left_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, b"weights")
    left = tmp_path / "models" / "whisper" / ".tiny.pt.part"
    left.mkdir(parents=True)
    (left / "tiny.pt").write_bytes(b"wei")
    WhisperEngine(whisper_settings(tmp_path, "tiny")).fetch()
    assert (tmp_path / "models" / "whisper" / "tiny.pt").read_bytes() == b"weights"
    assert not left.exists()


def test_a_download_that_fails_says_what_to_do_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    engine = WhisperEngine(whisper_settings(tmp_path, "tiny"))
    with pytest.raises(StageFailed, match="python -m app fetch-models") as caught:
        engine.fetch()
    assert caught.value.__cause__ is not None
    assert str(tmp_path) not in caught.value.detail
    assert [path.name for path in (tmp_path / "models" / "whisper").iterdir()] == [".tiny.pt.lock"]


def test_a_size_is_loaded_from_the_folder_if_it_is_the_published_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import whisper

    publish(monkeypatch, MINI.read_bytes())
    heads = np.array([[False, False], [False, True]])
    monkeypatch.setitem(whisper._ALIGNMENT_HEADS, "tiny", base64.b85encode(gzip.compress(heads.tobytes())))
    folder = tmp_path / "models" / "whisper"
    folder.mkdir(parents=True)
    shutil.copy(MINI, folder / "tiny.pt")
    engine = WhisperEngine(whisper_settings(tmp_path, "tiny"))
    with closed_network() as tried:
        engine.load()
        heard = engine.transcribe(request_for(spoken("promise").samples))
    assert tried == []
    assert join_words(heard.words) == spoken("promise").text
    assert engine._model.alignment_heads.indices().T.tolist() == [[1, 1]]


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, MINI.read_bytes())
    folder = tmp_path / "models" / "whisper"
    folder.mkdir(parents=True)
    (folder / "tiny.pt").write_bytes(MINI.read_bytes()[:-1] + b"?")
    with pytest.raises(StageFailed, match="damaged"):
        WhisperEngine(whisper_settings(tmp_path, "tiny")).load()


@pytest.mark.parametrize("zipped", [False, True])
def test_a_pickle_offered_as_weights_is_not_executed(tmp_path: Path, zipped: bool) -> None:
    weights, trap = write_trap(tmp_path, zipped=zipped)
    service = SttService(whisper_settings(tmp_path, weights, stt_provider=("whisper",)))
    with pytest.raises(StageFailed, match="could not be loaded"):
        service.load("whisper")
    assert not trap.exists()


def test_torch_gets_the_threads_of_the_settings(tmp_path: Path) -> None:
    import torch

    before = torch.get_num_threads()
    settings = whisper_settings(tmp_path).model_copy(update={"engine_threads": 2})
    try:
        WhisperEngine(settings).load()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
