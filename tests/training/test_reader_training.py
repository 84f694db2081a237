"""The reader can be trained, weighed and written: shown on a base model in miniature and a few lines."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

from app.schemas.utterance import Before, Utterance
from app.services.reading.network import Network
from training.moments import base, export
from training.moments.calibrate import (
    best_thresholds,
    fit_merge,
    fit_scales,
    in_terms_of,
    macro_f1,
    micro_f1,
)
from training.moments.fit import Recipe, ask, fit
from training.moments.noise import as_heard
from training.moments.rules import confidences, rule_ids, segments_of
from training.moments.talk import SENTIMENTS, SUBTYPES, TYPES, UNJUDGED, Line, labels_of, read, sayable

PRICE = TYPES.index("objection")
WORDS = ("now", "here", "yes", "no")


def line(text: str, role: str, *kinds: str, sentiment: str | None = "NEUTRAL") -> Line:
    return Line(Utterance(text, role, Before("agent", "So?")), kinds, sentiment, "written")


TALK = [
    *(
        line(f"that is too expensive {word}", "customer", "objection/price")
        for word in ("now", "here", "yes", "no")
    ),
    *(
        line(f"i will send it on friday {word}", "agent", "next_step")
        for word in ("now", "here", "yes", "no")
    ),
    *(
        line(f"the list is on page {word}", "customer", sentiment=None)
        for word in ("one", "two", "six", "ten")
    ),
]


@pytest.fixture(scope="module")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two narrow layers that knows nothing, in the files that the real one has."""
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("base")
    words = {word for each in TALK for word in each.utterance.text.split()}
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ":", "agent", "customer", "unknown", *sorted(words)]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    shape = BertConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
    )
    BertModel(shape, add_pooling_layer=False).save_pretrained(folder)
    return folder


def test_training_learns_its_lines_and_what_is_written_says_the_same(
    miniature: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(epochs=16, batch=4, rate=5e-3, rate_of_head=5e-2, heard=0.0)
    network = fit(TALK, miniature, recipe, seed=1)
    scores = ask(network, [each.utterance for each in TALK], miniature, recipe)
    labels, may_say = labels_of(TALK), sayable(TALK)
    assert micro_f1(labels.types, (scores[:, : len(TYPES)] > 0) & (may_say > 0)) == 1
    scales = fit_scales(scores, labels.types, may_say)
    chances = scales.probabilities(scores, may_say)
    rules = np.zeros_like(labels.types)
    merge = fit_merge(chances, rules, labels.types, may_say)
    monkeypatch.setattr(export, "WEIGHTS", tmp_path)
    export.write_network(network, scales, miniature)
    facts = export.reader_facts(recipe.longest, recipe.longest_before)
    files = ("reader.onnx", "vocab.txt")
    export.describe("reader", files, merge, best_thresholds(chances, labels.types), 0.3, ["a_rule"], facts)

    readings = Network(tmp_path, threads=1).read([each.utterance for each in TALK])
    for reading, row in zip(readings, chances, strict=True):
        assert reading is not None
        assert [reading.types[name] for name in TYPES] == pytest.approx(row.tolist(), abs=0.08)
    first = readings[0]
    assert first is not None and max(first.subtypes, key=lambda name: first.subtypes[name]) == "price"


def test_a_rule_never_makes_a_moment_less_likely_and_counts_where_it_is_right() -> None:
    dice = np.random.default_rng(3)
    truth = (dice.random((400, len(TYPES))) < 0.2).astype(np.float32)
    may_say = np.ones_like(truth)
    chances = np.clip(dice.normal(0.2 + 0.4 * truth, 0.2), 0.01, 0.99)
    rules = np.where(truth > 0, dice.random(truth.shape) < 0.6, dice.random(truth.shape) < 0.02) * np.float32(
        0.8
    )
    merge = fit_merge(chances, rules.astype(np.float32), truth, may_say)
    assert (merge.weights[:, 2:] >= 0).all()
    merged = merge.probabilities(chances, rules.astype(np.float32), may_say)
    silent = merge.probabilities(chances, np.zeros_like(truth), may_say)
    assert (merged >= silent - 1e-12).all()
    assert micro_f1(truth, merged >= 0.5) > micro_f1(truth, chances >= 0.5) + 0.1
    thresholds = in_terms_of(chances, silent, best_thresholds(merged, truth))
    assert ((chances >= thresholds) == (silent >= best_thresholds(merged, truth))).mean() > 0.98


def test_measures() -> None:
    truth = np.array([[1, 0], [1, 1], [0, 0]], dtype=np.float32)
    said = np.array([[True, False], [False, True], [True, False]])
    assert micro_f1(truth, said) == pytest.approx(2 / 3)
    assert macro_f1(truth, said) == pytest.approx((0.5 + 1) / 2)


def test_a_bad_line_loses_marks_and_now_and_then_a_word_the_same_each_time() -> None:
    said = Utterance(
        "Well, that's TOO expensive; we need it for less!", "customer", Before("agent", "It's $5.")
    )
    heard = [as_heard(said, Random(seed)) for seed in range(40)]
    assert heard == [as_heard(said, Random(seed)) for seed in range(40)]
    assert not any(set(",;!$").intersection(each.text) or each.text != each.text.lower() for each in heard)
    assert {each.role for each in heard} == {"customer"}
    assert len({each.text for each in heard}) > 5
    assert {each.before and each.before.role for each in heard} == {"agent"}


def test_labels_say_what_a_line_says_and_who_may() -> None:
    labels = labels_of(TALK)
    assert labels.types[0, PRICE] == 1 and labels.types[0].sum() == 1
    assert labels.subtypes[0, SUBTYPES.index("price")] == 1
    assert labels.sentiments.tolist() == [SENTIMENTS.index("NEUTRAL")] * 8 + [UNJUDGED] * 4
    may_say = sayable(TALK)
    assert may_say[0, PRICE] == 1 and may_say[4, PRICE] == 0


def test_rules_are_asked_with_the_turn_before_but_not_about_it() -> None:
    lines = [line("that is far too expensive for us", "customer", "objection/price"), TALK[8]]
    found = confidences(lines)
    assert found[0, PRICE] >= 0.5 and not found[1].any()
    assert [segment.role for segment in segments_of(lines[0].utterance)] == ["agent", "customer"]
    assert any(name.startswith("es_") for name in rule_ids())


def test_another_base_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "base"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "vocab.txt"):
        (folder / name).write_text("not it")
    monkeypatch.setattr(base.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="SHA-256"):
        base.base_model(tmp_path)


def test_the_development_split_is_not_among_what_is_trained_on() -> None:
    from training.moments import talk

    assert {name for fold in talk.FOLDS for name in fold} == set(talk.ENGLISH)
    assert not any("dev" in name for name in talk.ENGLISH)
    assert len(read(talk.ENGLISH)) > 3000
