"""The neutral band: fitted to labelled talk, the same every time, kept with the model that it is for."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.exceptions import ConfigurationError
from app.schemas.sentiment import SentimentLabel
from app.services.sentiment.calibration import BandReport, calibrate, figures, read_lines
from app.services.sentiment.neutral_band import NeutralBand, fit_band, log_odds, read_band, write_band
from app.services.sentiment.transformer import TransformerEngine
from tests.services.sentiment.factories import MINI, NEGATIVE, NEUTRAL, POSITIVE, make_settings, said

P, U, N = SentimentLabel.POSITIVE, SentimentLabel.NEUTRAL, SentimentLabel.NEGATIVE


def drawn(band: NeutralBand, count: int) -> tuple[list[float], list[SentimentLabel]]:
    """Log odds and labels as they come where ``band`` is true."""
    rng = random.Random(7)
    odds, labels = [], []
    for _ in range(count):
        value = rng.uniform(-9, 9)
        scores = band.of_log_odds(value)
        labels += rng.choices((P, U, N), (scores.positive, scores.neutral, scores.negative))
        odds.append(value)
    return odds, labels


@given(st.floats(0, 1), st.floats(0.05, 20), st.floats(0.1, 20))
def test_a_band_sums_to_one_and_keeps_the_order(positive: float, border: float, spread: float) -> None:
    scores = NeutralBand(border, spread).scores(positive, 1 - positive)
    assert scores.positive + scores.neutral + scores.negative == pytest.approx(1)
    assert min(scores.positive, scores.neutral, scores.negative) >= -1e-12
    assert (scores.positive >= scores.negative) == (positive >= 1 - positive)


def test_a_fit_finds_the_band_that_made_the_labels_and_always_the_same() -> None:
    true = NeutralBand(4.0, 0.8)
    odds, labels = drawn(true, 3000)
    found = fit_band(odds, labels)
    assert found.border == pytest.approx(true.border, abs=0.2)
    assert found.spread == pytest.approx(true.spread, abs=0.15)
    assert fit_band(odds, labels) == found


def test_labels_that_are_missing_are_named() -> None:
    with pytest.raises(ValueError, match="no line is NEUTRAL"):
        fit_band([1.0, -1.0], [P, N])


def test_certainty_is_bounded() -> None:
    assert log_odds(1.0, 0.0) == -log_odds(0.0, 1.0) == 20.0


def test_a_band_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    file = tmp_path / "new" / "band.json"
    assert read_band(file) is None
    write_band(file, NeutralBand(3.5, 0.9), 100)
    assert read_band(file) == NeutralBand(3.5, 0.9)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"border": 1}', '{"border": -1, "spread": 1}', '{"border": 1, "spread": 99}']
)
def test_a_file_that_holds_no_band_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "band.json").write_text(text)
    with pytest.raises(ValueError, match=r"band\.json"):
        read_band(tmp_path / "band.json")


def test_figures() -> None:
    accuracy, macro_f1 = figures([U, U, U, P], [U, U, N, P])
    assert (accuracy, macro_f1) == (0.75, pytest.approx((0.8 + 0 + 1) / 3))


def test_lines_are_read_and_those_of_other_languages_passed_over(tmp_path: Path) -> None:
    lines = [{"text": "a", "sentiment": "NEUTRAL"}, {"text": "b", "sentiment": "POSITIVE", "language": "es"}]
    (tmp_path / "talk.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    assert [line.text for line in read_lines([tmp_path / "talk.jsonl"])] == ["a"]
    (tmp_path / "talk.jsonl").write_text('{"text": "a", "sentiment": "MEH"}')
    with pytest.raises(ConfigurationError, match=r"talk\.jsonl:1"):
        read_lines([tmp_path / "talk.jsonl"])


def test_a_model_is_calibrated_and_its_band_used_from_then_on(tmp_path: Path) -> None:
    settings = make_settings(sentiment_model_dir=tmp_path)
    talk = tmp_path / "talk.jsonl"
    texts = ((POSITIVE, "NEUTRAL"), (NEGATIVE, "NEGATIVE"), (NEUTRAL, "NEUTRAL"), ("i love it", "POSITIVE"))
    talk.write_text("\n".join(json.dumps({"text": text, "sentiment": label}) for text, label in texts * 10))
    engine = TransformerEngine(settings)
    [before] = engine.score(said(POSITIVE))
    report: BandReport = calibrate(engine, read_lines([talk]))
    assert report.lines == 40
    assert 0 <= report.before[0] <= report.after[0] <= 1
    [kept] = tmp_path.glob(f"{MINI.name}-band-*.json")
    assert json.loads(kept.read_text())["border"] == report.band.border
    [after] = engine.score(said(POSITIVE))
    assert after != before
    assert TransformerEngine(settings).score(said(POSITIVE)) == [after]
    other = make_settings(sentiment_model_dir=tmp_path / "elsewhere")
    assert TransformerEngine(other).score(said(POSITIVE)) == [before]
