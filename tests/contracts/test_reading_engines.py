"""What every reader of moments promises, asked of each that the registry knows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.core.exceptions import EngineUnavailable
from app.schemas.engine import EngineState
from app.schemas.moment import MomentType, ObjectionSubtype, may_be_said_by
from app.schemas.reading import Reading
from app.schemas.utterance import Before, Utterance
from app.services.reading.base import ReadingEngine
from app.services.reading.registry import READING_ENGINES
from app.services.reading_service import ReadingService
from tests.services.reading.miniature import write_reader
from tests.services.sentiment.factories import closed_network, make_settings

LIBRARIES = {"embedding": ("onnxruntime", "tokenizers")}
TALK = [
    Utterance("Well, it's a bit too expensive for us.", "customer", Before("agent", "It is nine hundred.")),
    Utterance("that sounds great so i will send it over by friday", "agent"),
    Utterance("what", "unknown"),
    Utterance("you would have to find me another zero in the bank and " * 60, "customer"),
    Utterance("  "),
    Utterance("Überraschung — 9,99 € für 你好", "customer"),
]
NAMES = pytest.mark.parametrize("name", READING_ENGINES.names())
LANGUAGES = pytest.mark.parametrize("language", ["en", None, "es"])
Maker = Callable[[str], ReadingEngine]


@pytest.fixture(scope="module")
def engine_named() -> Maker:
    made: dict[str, ReadingEngine] = {}

    def find(name: str) -> ReadingEngine:
        if name not in made:
            made[name] = READING_ENGINES.create(name, make_settings())
            made[name].load()
        return made[name]

    return find


def test_every_engine_has_its_libraries_listed_here() -> None:
    assert set(LIBRARIES) == set(READING_ENGINES.names())


@NAMES
@LANGUAGES
def test_readings(engine_named: Maker, name: str, language: str | None) -> None:
    readings = engine_named(name).read(TALK, language)
    assert [reading is None for reading in readings] == [not each.text.strip() for each in TALK]
    for said, reading in zip(TALK, readings, strict=True):
        if reading is None:
            continue
        assert reading.role == said.role
        assert set(reading.types) <= set(MomentType)
        assert set(reading.subtypes) <= set(ObjectionSubtype)
        assert all(0 <= chance <= 1 for chance in (*reading.types.values(), *reading.subtypes.values()))
        assert sum(reading.subtypes.values()) == pytest.approx(1, abs=1e-4)
        others = (kind for kind in reading.types if not may_be_said_by(said.role, kind))
        assert all(reading.types[kind] == 0 for kind in others)
        for start, end in reading.clauses.values():
            assert said.text[start:end].strip() == said.text[start:end] != ""


@NAMES
@LANGUAGES
def test_order_and_neighbours_do_not_matter(engine_named: Maker, name: str, language: str | None) -> None:
    engine = engine_named(name)
    alone = [engine.read([each], language)[0] for each in TALK]
    for talk, expected in ((TALK, alone), (TALK[::-1], alone[::-1]), (TALK * 8, alone * 8)):
        assert all(map(near, engine.read(talk, language), expected))


def near(found: Reading | None, expected: Reading | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return (found.revision, found.role, set(found.clauses)) == (
        expected.revision,
        expected.role,
        set(expected.clauses),
    ) and found.types == pytest.approx(expected.types, abs=2e-5)


@NAMES
@LANGUAGES
def test_threads_get_what_one_gets(engine_named: Maker, name: str, language: str | None) -> None:
    engine = engine_named(name)
    expected = [engine.read([each], language) for each in TALK]

    def run(first: int) -> bool:
        order = [(first + step) % len(TALK) for step in range(50)]
        return all(engine.read([TALK[index]], language) == expected[index] for index in order)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(run, range(8)))


@NAMES
def test_nothing_asked_is_nothing_read(engine_named: Maker, name: str) -> None:
    assert engine_named(name).read([], "en") == []


@NAMES
def test_names_and_labels(engine_named: Maker, name: str) -> None:
    engine = engine_named(name)
    kind, _, revision = engine.label.partition(":")
    assert (engine.name, kind) == (name, name)
    [reading] = engine.read(TALK[:1], "en")
    assert reading is not None
    assert reading.revision == revision


@NAMES
def test_nothing_leaves_the_machine(engine_named: Maker, name: str) -> None:
    engine = engine_named(name)
    assert not engine.capabilities.sends_data_out
    assert engine.capabilities.languages is not None
    assert "en" in engine.capabilities.languages
    with closed_network() as tried:
        engine.fetch()
        engine.read(TALK, "en")
    assert tried == []


@NAMES
def test_a_missing_library_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for library in LIBRARIES[name]:
        with monkeypatch.context() as without:
            without.setitem(sys.modules, library, None)
            seen = READING_ENGINES.create(name, make_settings()).availability()
        assert seen.state is EngineState.UNAVAILABLE
        assert seen.reason == f"{library} is not installed"
        assert seen.fix == f'pip install "darwix-ai[{name}]"'


@NAMES
@pytest.mark.parametrize("missing", ["reader.json", "reader.onnx", "vocab.txt"])
def test_missing_files_are_named(name: str, missing: str, tmp_path: Path) -> None:
    (write_reader(tmp_path) / missing).unlink()
    engine = READING_ENGINES.create(name, make_settings(coachable_model_dir=tmp_path))
    seen = engine.availability()
    assert seen.state is EngineState.UNAVAILABLE
    assert seen.reason is not None
    assert missing in seen.reason
    assert seen.fix
    with pytest.raises(EngineUnavailable, match=missing):
        engine.load()


@NAMES
def test_files_of_others_are_not_believed(name: str, tmp_path: Path) -> None:
    write_reader(tmp_path)
    (tmp_path / "reader.onnx").write_bytes(b"not the network that was trained")
    settings = make_settings(coachable_model_dir=tmp_path)
    assert READING_ENGINES.create(name, settings).availability().state is EngineState.READY
    with pytest.raises(EngineUnavailable, match="SHA-256"):
        ReadingService(settings).load(name)
    with pytest.raises(EngineUnavailable, match="SHA-256"):
        ReadingService(settings).read(name, TALK, "en")
