"""Other languages: n-grams that are the same everywhere, and the models over them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from app.schemas.utterance import Before, Utterance
from app.services.reading.artefact import ArtefactError
from app.services.reading.ngrams import features, words_of
from app.services.reading.others import OtherLanguages
from tests.services.reading.miniature import BUCKETS, reader_folder, write_reader

PRICE = "Pues mira, la verdad es que me gusta, pero es muy caro para nosotros."


@pytest.fixture
def others() -> OtherLanguages:
    return OtherLanguages(reader_folder())


def test_words_are_plain_ones() -> None:
    assert words_of("¿Cuánto CUESTA, señor?") == ["cuanto", "cuesta", "senor"]
    assert words_of("यह महंगा है।") == ["यह", "महंगा", "है"]
    assert words_of("d'accord c'est l'été") == ["d", "accord", "c", "est", "l", "ete"]
    assert words_of("ça") == words_of("CA") == words_of("c\u0327a")


def test_features_are_the_same_on_every_machine_and_in_every_run() -> None:
    places, values = features(Utterance("si", "customer", Before("agent", "x")), 1000)
    assert sorted(places.tolist()) == [61, 91, 221, 288, 465, 502, 531, 812, 825]
    assert values.dtype == np.float32
    assert sorted({round(value, 4) for value in values.tolist()}) == [0.3, 0.378]


def test_marks_case_and_accents_do_not_count_but_a_question_does() -> None:
    def told(text: str) -> dict[int, float]:
        places, values = features(Utterance(text), BUCKETS)
        return dict(zip(places.tolist(), values.tolist(), strict=True))

    assert told("Es caro, señor.") == told("es caro senor")
    assert told("es caro") != told("¿es caro?")


def test_nothing_said_has_no_features() -> None:
    places, values = features(Utterance("?! …", "agent"), BUCKETS)
    assert (len(places), len(values)) == (0, 0)


def test_a_reading(others: OtherLanguages) -> None:
    [reading] = others.read([Utterance(PRICE, "customer")], "es")
    assert reading is not None
    assert (reading.revision, reading.role, reading.sentiment) == ("mini-others-1", "customer", None)
    assert max(reading.types, key=lambda kind: reading.types[kind]) == "objection"
    assert max(reading.subtypes, key=lambda subtype: reading.subtypes[subtype]) == "price"
    assert PRICE[slice(*reading.clauses["objection"])] == "pero es muy caro para nosotros."


def test_hindi_is_read_too(others: OtherLanguages) -> None:
    [reading] = others.read([Utterance("यह बहुत महंगा है", "customer")], "hi")
    assert reading is not None
    assert reading.types["objection"] > 0.5


def test_an_agent_has_no_objection(others: OtherLanguages) -> None:
    [reading] = others.read([Utterance(PRICE, "agent")], "es")
    assert reading is not None
    assert reading.types["objection"] == 0.0


def test_nothing_said_is_nothing_read(others: OtherLanguages) -> None:
    assert others.read([Utterance(""), Utterance("?!")], "es") == [None, None]


def test_threads_read_as_one_does(others: OtherLanguages) -> None:
    talk = [Utterance(f"{PRICE} {number} contrato", "customer") for number in range(20)]
    expected = others.read(talk, "es")
    with ThreadPoolExecutor(8) as pool:
        assert all(found == expected for found in pool.map(lambda _: others.read(talk, "es"), range(16)))


def test_files_that_are_not_those_that_were_trained_are_refused(tmp_path: Path) -> None:
    folder = write_reader(tmp_path)
    about = json.loads((folder / "others.json").read_text())
    (folder / "others.json").write_text(json.dumps({**about, "buckets": 8}))
    with pytest.raises(ArtefactError, match="another shape"):
        OtherLanguages(folder).load()
    (folder / "others.json").write_text(json.dumps({**about, "languages": ["it"]}))
    with pytest.raises(ArtefactError, match="it_weights"):
        OtherLanguages(folder).load()
    (folder / "others.npz").write_bytes(b"")
    with pytest.raises(ArtefactError, match="SHA-256"):
        OtherLanguages(folder).load()
