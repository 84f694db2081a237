"""The faster_whisper engine on the miniature checkpoint: it hears what the reference engine hears."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.exceptions import StageFailed, UnsupportedLanguage
from app.schemas.engine import EngineState
from app.schemas.transcript import Transcript, join_words
from app.services.stt.base import BatchingSttEngine, SttRequest
from app.services.stt.faster_whisper import BATCH, FasterWhisperEngine
from app.services.stt.whisper import WhisperEngine
from app.services.stt.whisper_checkpoint import SIZES
from tests.services.stt.makers import (
    MINI,
    SENTENCES,
    Samples,
    closed_network,
    request_for,
    silence,
    spoken,
    whisper_settings,
    window_of,
)
from tests.services.stt.test_ctranslate2_conversion import ENGLISH, checkpoint_of

PAUSE_S = 0.6
TYPES = pytest.mark.parametrize("compute_type", ["float32", "int8"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faster_whisper")


@pytest.fixture(scope="module")
def engines(folder: Path) -> dict[str, FasterWhisperEngine]:
    """One for each arithmetic, made from the openai checkpoint with the network closed."""
    made = {}
    with closed_network() as tried:
        for compute_type in ("float32", "int8"):
            made[compute_type] = engine = make_engine(folder, stt_compute_type=compute_type)
            engine.load()
    assert tried == []
    return made


@pytest.fixture(scope="module")
def exact(engines: dict[str, FasterWhisperEngine]) -> FasterWhisperEngine:
    return engines["float32"]


@pytest.fixture(scope="module")
def reference(folder: Path) -> WhisperEngine:
    engine = WhisperEngine(whisper_settings(folder))
    engine.load()
    return engine


def make_engine(folder: Path, model: Path | str = MINI, **overrides: Any) -> FasterWhisperEngine:
    return FasterWhisperEngine(whisper_settings(folder, model, **overrides))


def in_a_row(*names: str) -> Samples:
    return np.concatenate([part for name in names for part in (spoken(name).samples, silence(PAUSE_S))])


def segments_of(heard: Transcript) -> list[tuple[str, float, float]]:
    found, words = [], []
    for word in heard.words:
        words.append(word)
        if word.ends_segment:
            found.append((join_words(words), words[0].start_s, words[-1].end_s))
            words = []
    assert not words
    return found


def with_names(samples: Samples, *vocabulary: str) -> SttRequest:
    return SttRequest(samples, "en", window_of(len(samples)), vocabulary)


RECORDINGS = {
    **{name: (name,) for name in SENTENCES},
    "all in a row": SENTENCES,
    "the other way round": tuple(reversed(SENTENCES)),
    "longer than 30 s": SENTENCES * 4,
}


# The same as the reference engine


@pytest.mark.parametrize("names", RECORDINGS.values(), ids=RECORDINGS)
def test_words_and_times_are_those_of_the_reference(
    exact: FasterWhisperEngine, reference: WhisperEngine, names: tuple[str, ...]
) -> None:
    request = request_for(in_a_row(*names))
    ours, theirs = exact.transcribe(request), reference.transcribe(request)
    assert [text for text, _, _ in segments_of(ours)] == [text for text, _, _ in segments_of(theirs)]
    for (_, *times), (_, *expected) in zip(segments_of(ours), segments_of(theirs), strict=True):
        assert times == pytest.approx(expected, abs=0.1)
    for word, other in zip(ours.words, theirs.words, strict=True):
        assert word.text == other.text
        assert (word.start_s, word.end_s) == pytest.approx((other.start_s, other.end_s), abs=0.1)
        assert word.confidence == pytest.approx(other.confidence, abs=0.01)
    assert ours.language == theirs.language == "en"
    assert ours.language_confidence == pytest.approx(theirs.language_confidence, abs=0.01)


@pytest.mark.parametrize("names", RECORDINGS.values(), ids=RECORDINGS)
def test_whole_numbers_hear_the_same_text(
    engines: dict[str, FasterWhisperEngine], names: tuple[str, ...]
) -> None:
    request = request_for(in_a_row(*names))
    heard = {name: join_words(engine.transcribe(request).words) for name, engine in engines.items()}
    assert heard["int8"] == heard["float32"]


@TYPES
def test_sentences_come_out_word_for_word_where_they_were_said(
    engines: dict[str, FasterWhisperEngine], compute_type: str
) -> None:
    heard = engines[compute_type].transcribe(request_for(in_a_row(*SENTENCES)))
    said = [spoken(name) for name in SENTENCES]
    assert [text for text, _, _ in segments_of(heard)] == [sentence.text for sentence in said]
    begins_s = 0.0
    for (_, start_s, end_s), sentence in zip(segments_of(heard), said, strict=True):
        assert start_s == pytest.approx(begins_s, abs=0.1)
        assert end_s == pytest.approx(begins_s + sentence.words[-1][2], abs=0.1)
        begins_s += len(sentence.samples) / 16_000 + PAUSE_S
    assert all(word.confidence is not None and 0 <= word.confidence <= 1 for word in heard.words)
    assert heard.language_confidence is not None and 0.9 < heard.language_confidence <= 1


def test_the_library_alone_reads_the_converted_folder_alike(exact: FasterWhisperEngine) -> None:
    samples = in_a_row("greeting", "objection")
    with closed_network() as tried:
        found, info = exact._model.transcribe(samples, beam_size=1, word_timestamps=True)
        segments = [(segment.text.strip(), segment.start, segment.end) for segment in found]
    assert tried == []
    assert segments == segments_of(exact.transcribe(request_for(samples)))
    assert info.language == "en"


# Silence, languages, names


@TYPES
def test_silence_and_next_to_nothing_are_no_words(
    engines: dict[str, FasterWhisperEngine], compute_type: str
) -> None:
    for samples in (silence(0), silence(0.001), silence(2), silence(28), silence(31)):
        assert engines[compute_type].transcribe(request_for(samples)).words == ()


@pytest.mark.parametrize("language", ["de", "jv"])
def test_a_language_asked_for_is_obeyed_without_detecting(
    exact: FasterWhisperEngine, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setattr(exact._decoders[0], "_detect", lambda windows, encoded: None)
    heard = exact.transcribe(request_for(spoken("greeting").samples, language=language))
    assert (heard.language, heard.language_confidence) == (language, None)


def test_an_english_only_checkpoint_knows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.stt.window_decoding.FURTHER_ATTEMPTS", ())
    shutil.move(checkpoint_of(tmp_path, ENGLISH), tmp_path / "calls.en.pt")
    engine = make_engine(tmp_path, tmp_path / "calls.en.pt")
    assert engine.capabilities.languages == frozenset({"en"})
    with pytest.raises(UnsupportedLanguage):
        engine.transcribe(request_for(silence(1), language="de"))
    heard = engine.transcribe(request_for(silence(1)))
    assert (heard.language, heard.language_confidence) == ("en", None)


def test_names_to_expect_reach_the_model_alike(exact: FasterWhisperEngine, reference: WhisperEngine) -> None:
    samples = in_a_row("greeting", "promise")
    plain, named = with_names(samples), with_names(samples, "Darwix", "the proposal")
    ours, theirs = exact.transcribe(named), reference.transcribe(named)
    assert [word.text for word in ours.words] == [word.text for word in theirs.words]
    # Word confidences come from a pass of its own that sees no prompt; so the likelihoods are compared.
    window = exact._window(plain), exact._window(named)
    assert window[0] is not None and window[1] is not None
    encoded = exact._decoders[0]._encoded([window[0]])
    tokenizer = exact._decoders[0]._tokenizer("en")
    likelihoods = set()
    for each in window:
        prompt = exact._decoders[0]._prompt(tokenizer, each.vocabulary)
        (decoded,) = exact._decoders[0]._decoded(encoded, prompt, tokenizer, {"beam_size": 1})
        likelihoods.add(decoded.likelihood)
    assert len(likelihoods) == 2


def test_any_list_of_names_is_taken(exact: FasterWhisperEngine, reference: WhisperEngine) -> None:
    names = ("<|endoftext|>", "<|nospeech|>", "", *(f"Product number {number}" for number in range(300)))
    for engine in (exact, reference):
        heard = engine.transcribe(with_names(in_a_row("greeting"), *names))
        assert heard.language == "en"
        assert all(word.text for word in heard.words)


# Batches


def assert_alike(heard: Transcript, expected: Transcript) -> None:
    """The same words in the same places; sums of floats may round otherwise in a larger matrix."""
    assert [(word.text, word.start_s, word.end_s, word.ends_segment) for word in heard.words] == [
        (word.text, word.start_s, word.end_s, word.ends_segment) for word in expected.words
    ]
    assert [word.confidence for word in heard.words] == pytest.approx(
        [word.confidence for word in expected.words], abs=1e-3
    )
    assert heard.language == expected.language
    assert heard.language_confidence == pytest.approx(expected.language_confidence, abs=1e-3)


def batch_of_all_kinds() -> list[SttRequest]:
    noise = np.random.default_rng(3).standard_normal(48_000).astype(np.float32) * 0.3
    samples = [
        in_a_row("greeting"),
        in_a_row(*SENTENCES),
        silence(0),
        in_a_row(*SENTENCES * 4),
        silence(5),
        noise,
        spoken("greeting").samples[:5000],
        in_a_row("promise", "question"),
        noise[:9000],
        in_a_row("objection"),
    ]
    requests = [request_for(each) for each in samples]
    requests += [request_for(in_a_row("question"), language=language) for language in ("en", "de")]
    return [*requests, with_names(in_a_row("question"), "Darwix")]


@TYPES
def test_a_window_is_heard_in_a_batch_as_it_is_alone(
    engines: dict[str, FasterWhisperEngine], compute_type: str
) -> None:
    engine: BatchingSttEngine = engines[compute_type]
    requests = batch_of_all_kinds()
    assert len(requests) > BATCH == engine.capabilities.batch
    alone = [engine.transcribe(request) for request in requests]
    for heard, expected in zip(engine.transcribe_many(requests), alone, strict=True):
        assert_alike(heard, expected)
    for heard, expected in zip(engine.transcribe_many(requests[::-1]), alone[::-1], strict=True):
        assert_alike(heard, expected)
    assert engine.transcribe_many([]) == ()


def test_lanes_side_by_side_hear_what_one_hears(folder: Path, exact: FasterWhisperEngine) -> None:
    requests = batch_of_all_kinds()
    one = make_engine(folder, stt_compute_type="float32", engine_threads=1)
    three = make_engine(folder, stt_compute_type="float32", engine_threads=3)
    expected = one.transcribe_many(requests)
    for heard, alone in zip(three.transcribe_many(requests), expected, strict=True):
        assert_alike(heard, alone)
    assert [len(engine._decoders) for engine in (one, three)] == [1, 3]
    assert three.transcribe_many(requests[:1]) == exact.transcribe_many(requests[:1])


def test_an_uncertain_decoder_tries_again_the_same_way_every_time(exact: FasterWhisperEngine) -> None:
    noise = np.random.default_rng(3).standard_normal(48_000).astype(np.float32) * 0.3
    clear = in_a_row("promise")
    first, between, again = (exact.transcribe(request_for(each)) for each in (noise, clear, noise))
    assert first == again
    assert join_words(between.words) == spoken("promise").text


def test_the_wider_searches_are_used_where_the_first_is_bad(
    exact: FasterWhisperEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.stt.window_decoding.TOO_UNLIKELY", 0.0)
    tried: list[dict[str, Any]] = []
    decoder = exact._decoders[0]
    decoded = decoder._decoded

    def watched(encoded: Any, prompt: Any, tokenizer: Any, attempt: dict[str, Any]) -> Any:
        tried.append(attempt)
        return decoded(encoded, prompt, tokenizer, attempt)

    monkeypatch.setattr(decoder, "_decoded", watched)
    heard = exact.transcribe(request_for(in_a_row("promise")))
    assert [attempt["beam_size"] for attempt in tried] == [1, 5, 5]
    assert join_words(heard.words) == spoken("promise").text


# Loading


def test_nothing_is_printed_and_nothing_warned(
    folder: Path, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    engine = make_engine(folder)
    engine.load()
    engine.transcribe(request_for(spoken("greeting").samples))
    assert capfd.readouterr() == ("", "")
    assert [str(warning.message) for warning in recwarn] == []


def test_the_arithmetic_is_chosen_from_what_the_machine_has(folder: Path) -> None:
    engine = make_engine(folder)
    engine.load()
    device = engine._model.model.device
    assert engine._model.model.compute_type.startswith("float16" if device == "cuda" else "int8")


def test_an_arithmetic_that_is_not_to_be_had_names_those_that_are(folder: Path) -> None:
    import ctranslate2

    if ctranslate2.get_cuda_device_count():
        pytest.skip("this machine can do it")
    with pytest.raises(StageFailed, match=r"STT_COMPUTE_TYPE: float16 .* cpu; auto or one of .*int8"):
        make_engine(folder, stt_compute_type="float16").load()


def test_a_gpu_that_cannot_be_used_leaves_the_cpu(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import ctranslate2

    if ctranslate2.get_cuda_device_count():
        pytest.skip("here it can be used")
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
    engine = make_engine(folder)
    engine.load()
    assert join_words(engine.transcribe(request_for(in_a_row("promise"))).words) == spoken("promise").text
    assert [record.message for record in caplog.records] == ["stt.gpu_unusable"]


def test_a_second_start_needs_no_reference_library(folder: Path, exact: FasterWhisperEngine) -> None:
    code = (
        "import sys; from app.core.config import Settings; "
        "from app.services.stt.faster_whisper import FasterWhisperEngine; "
        "engine = FasterWhisperEngine("
        "Settings(_env_file=None, whisper_model_size=sys.argv[1], whisper_model_dir=sys.argv[2])); "
        "engine.availability(); "
        "looked = {'numpy', 'faster_whisper', 'ctranslate2', 'torch', 'whisper'} & set(sys.modules); "
        "engine.load(); "
        "print(sorted(looked), sorted({'whisper', 'numba'} & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[3]
    arguments = [sys.executable, "-c", code, str(MINI), str(folder / "models" / "whisper")]
    done = subprocess.run(arguments, cwd=root, check=True, capture_output=True, text=True)
    assert done.stdout == "[] []\n"


@pytest.mark.parametrize(("choice", "label"), [("base", "base"), ("x/calls.en.pt", "calls.en")])
def test_label_follows_the_setting(tmp_path: Path, choice: str, label: str) -> None:
    assert make_engine(tmp_path, choice).label == f"faster_whisper:{label}"


@pytest.mark.parametrize("module", ["faster_whisper", "ctranslate2"])
def test_without_its_libraries_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    seen = make_engine(tmp_path).availability()
    assert (seen.state, seen.installed) == (EngineState.UNAVAILABLE, False)
    assert seen.reason == f"{module} is not installed"
    assert re.search(r"\[faster_whisper\]", seen.fix or "")


def test_every_size_of_the_reference_engine_is_taken(tmp_path: Path) -> None:
    for size in SIZES:
        languages = WhisperEngine(whisper_settings(tmp_path, size)).capabilities.languages
        assert make_engine(tmp_path, size).capabilities.languages == languages
