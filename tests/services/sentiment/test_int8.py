"""The 8-bit form of a trained model: its labels, how it is made once, and what happens where it is not."""

from __future__ import annotations

import json
import logging
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import onnx
import pytest

from app.schemas.sentiment import Sentiment
from app.services.sentiment.check_sentences import CHECK_SENTENCES
from app.services.sentiment.int8_model import int8_file
from app.services.sentiment.transformer import TransformerEngine
from app.services.sentiment_service import SentimentService
from tests.services.sentiment.factories import MINI, NEGATIVE, POSITIVE, copy_model, make_settings, said

INVENTED = json.loads((Path(__file__).parent / "utterances.json").read_text(encoding="utf-8"))
UTTERANCES = [each["text"] for part, those in INVENTED.items() if part != "note" for each in those]


def make_engine(folder: Path, precision: str = "int8", **overrides: Any) -> TransformerEngine:
    settings = make_settings(sentiment_precision=precision, sentiment_model_dir=folder, **overrides)
    return TransformerEngine(settings)


def make_service(folder: Path, precision: str) -> SentimentService:
    return SentimentService(make_settings(), {"transformer": make_engine(folder, precision)})


def labels_by(folder: Path, precision: str, texts: list[str]) -> list[str]:
    return [each.label for each in make_service(folder, precision).analyse("transformer", said(*texts))]


def precision_made_by_a_process(folder: Path) -> tuple[str, float]:
    engine = make_engine(folder)
    return engine.precision, engine.score(said(NEGATIVE))[0].negative


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("int8")
    make_engine(folder).load()
    return folder


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Path:
    """A folder with a copy of the made file, to be spoilt."""
    [made] = folder.glob("*.onnx")
    (tmp_path / made.name).write_bytes(made.read_bytes())
    return tmp_path


def visible(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if not file.name.endswith(".lock"))


def test_at_most_one_label_in_a_hundred_changes(folder: Path) -> None:
    from scripts import train_mini_distilbert as trained_on  # torch comes with it, which takes seconds

    texts = [*trained_on.POSITIVE, *trained_on.NEGATIVE, *trained_on.NEUTRAL, *UTTERANCES, *CHECK_SENTENCES]
    pairs = zip(labels_by(folder, "int8", texts), labels_by(folder, "fp32", texts), strict=True)
    assert sum(quick != plain for quick, plain in pairs) <= len(texts) // 100


def test_the_check_sentences_tell_one_in_a_hundred(folder: Path) -> None:
    assert len(set(CHECK_SENTENCES)) == len(CHECK_SENTENCES) >= 100
    found = labels_by(folder, "fp32", list(CHECK_SENTENCES))
    assert all(found.count(label) >= 20 for label in ("POSITIVE", "NEUTRAL", "NEGATIVE"))


def test_scores_do_not_hang_on_neighbours(folder: Path) -> None:
    engine = make_engine(folder)
    texts = [*UTTERANCES[:60], "happy " * 400, "?!", "你好 Überraschung", "x" * 400]
    alone = [engine.score(said(text))[0] for text in texts]
    for found, expected in zip(engine.score(said(*(texts * 5))), alone * 5, strict=True):
        assert found.positive == pytest.approx(expected.positive, abs=1e-5)
        assert found.neutral == pytest.approx(expected.neutral, abs=1e-5)
        assert found.negative == pytest.approx(expected.negative, abs=1e-5)


def test_every_third_of_a_monologue_counts(folder: Path) -> None:
    """5,000 tokens: ten times what the model reads at once."""
    service = make_service(folder, "int8")
    part = "we have about forty people in the office. " * 170
    plain, good_end, good_start = service.analyse(
        "transformer", said(part * 3, part * 2 + (POSITIVE + " ") * 340, (POSITIVE + " ") * 340 + part * 2)
    )
    assert good_end.positive > plain.positive + 0.2
    assert good_start.positive == pytest.approx(good_end.positive, abs=0.05)


def test_sixteen_threads_get_what_one_gets(folder: Path) -> None:
    service = make_service(folder, "int8")
    texts = UTTERANCES[:50]
    serial = [service.analyse("transformer", said(text))[0] for text in texts]

    def work(first: int) -> list[Sentiment]:
        order = [(first + step) % len(texts) for step in range(250)]
        return [service.analyse("transformer", said(texts[index]))[0] for index in order]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(work, range(16)))
    expected = [[serial[(first + step) % len(texts)] for step in range(250)] for first in range(16)]
    assert answers == expected


def test_auto_takes_8_bits_where_labels_stay(folder: Path) -> None:
    engine = make_engine(folder, "auto")
    engine.load()
    assert engine.precision == "int8"


def test_auto_keeps_the_model_where_labels_change(own: Path, caplog: pytest.LogCaptureFixture) -> None:
    [file] = own.glob("*.onnx")
    model = onnx.load(file)
    about = {each.key: each.value for each in model.metadata_props}
    turned = about["check_labels"].replace("positive", "negative")
    onnx.helper.set_model_props(model, {**about, "check_labels": turned})
    onnx.save(model, file)
    careful, told = make_engine(own, "auto"), make_engine(own, "int8")
    with caplog.at_level(logging.WARNING):
        careful.load()
    assert careful.precision == "fp32"
    assert "sentiment.int8_disagrees" in caplog.messages
    told.load()
    assert told.precision == "int8"


def test_processes_make_it_once(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        seen = list(pool.map(precision_made_by_a_process, [tmp_path] * 2))
    assert len(set(seen)) == 1
    assert len(visible(tmp_path)) == 1
    made = (tmp_path / visible(tmp_path)[0]).stat()
    make_engine(tmp_path).load()
    assert (tmp_path / visible(tmp_path)[0]).stat().st_ino == made.st_ino


def test_what_an_interrupted_process_left_is_cleared(tmp_path: Path) -> None:
    file = int8_file(MINI, tmp_path, "mini_distilbert")
    left = tmp_path / f".{file.stem}.part"
    left.mkdir()
    (left / "int8.onnx").write_bytes(b"half")
    engine = make_engine(tmp_path)
    engine.load()
    assert engine.precision == "int8"
    assert visible(tmp_path) == [file.name]


def test_another_checkpoint_is_another_file(tmp_path: Path) -> None:
    changed = copy_model(tmp_path / "mini_distilbert")
    assert int8_file(changed, tmp_path, "mini") == int8_file(MINI, tmp_path, "mini")
    weights = bytearray((changed / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (changed / "model.safetensors").write_bytes(weights)
    assert int8_file(changed, tmp_path, "mini") != int8_file(MINI, tmp_path, "mini")
    assert int8_file(MINI, tmp_path, "acme/mini").parent == tmp_path


@pytest.mark.parametrize("precision", ["auto", "int8"])
@pytest.mark.parametrize("trouble", ["no folder", "no library", "damaged file"])
def test_where_it_cannot_be_had_the_model_itself_answers(
    own: Path, trouble: str, precision: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept_in = own
    if trouble == "damaged file":
        next(own.glob("*.onnx")).write_bytes(b"no graph")
    else:
        kept_in = own / "other"
    if trouble == "no folder":
        kept_in.write_text("a file stands in the way")
    if trouble == "no library":
        monkeypatch.setitem(sys.modules, "onnx", None)
    engine = make_engine(kept_in, precision)
    with caplog.at_level(logging.WARNING):
        engine.load()
    assert engine.precision == "fp32"
    assert "sentiment.int8_unavailable" in caplog.messages
    assert engine.score(said(NEGATIVE)) == make_engine(kept_in, "fp32").score(said(NEGATIVE))


def test_fp32_makes_no_file(tmp_path: Path) -> None:
    make_engine(tmp_path, "fp32").load()
    assert visible(tmp_path) == []


def test_one_thread_is_one_thread(folder: Path) -> None:
    import torch

    before = len(list(Path("/proc/self/task").iterdir())) if sys.platform == "linux" else 0
    engine = make_engine(folder, engine_threads=1)
    engine.score(said(*UTTERANCES))
    assert torch.get_num_threads() == 1
    if sys.platform == "linux":
        assert len(list(Path("/proc/self/task").iterdir())) <= before
