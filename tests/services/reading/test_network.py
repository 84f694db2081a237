"""The network as a reader: types, clauses, sentiment, windows, neighbours, threads, and files that lie."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from app.schemas.reading import Reading
from app.schemas.utterance import Before, Utterance
from app.services.reading.artefact import ArtefactError, ReaderManifest
from app.services.reading.network import Network, network_in
from tests.services.reading.miniature import reader_folder, write_reader

TALK = [
    Utterance("Well, you'd have to find me a zero in the bank.", "customer", Before("agent", "the price is")),
    Utterance("That sounds great, so send it by Friday.", "agent"),
    Utterance("that is terrible, i want a rival", "customer", Before("agent", "great")),
    Utterance("is it a price? " * 40 + "it is expensive", "customer"),
    Utterance("x"),
    Utterance("你好 Überraschung"),
]


@pytest.fixture
def network() -> Network:
    return Network(reader_folder(), threads=1, remembered=0)


def read_one(network: Network, text: str, role: str = "unknown") -> Reading:
    [reading] = network.read([Utterance(text, role)])
    assert reading is not None
    return reading


def close(found: Reading | None, expected: Reading | None) -> bool:
    assert found is not None
    assert expected is not None
    same = all(found.types[kind] == pytest.approx(expected.types[kind], abs=2e-6) for kind in found.types)
    return same and (found.clauses, found.role) == (expected.clauses, expected.role)


def test_a_reading(network: Network) -> None:
    [reading, *_] = network.read(TALK)
    assert reading is not None
    assert (reading.revision, reading.role) == ("mini-1", "customer")
    assert reading.types["objection"] == pytest.approx(0.9526, abs=1e-4)
    assert max(reading.subtypes, key=lambda subtype: reading.subtypes[subtype]) == "price"
    assert sum(reading.subtypes.values()) == pytest.approx(1, abs=1e-5)
    assert reading.sentiment is not None
    assert sum(reading.sentiment) == pytest.approx(1, abs=1e-9)
    assert set(reading.clauses) == {"objection"}


def test_the_clause_that_carries_a_type_is_named(network: Network) -> None:
    text = "that sounds great, so send it to me by Friday, and you find me a zero in the bank"
    clauses = read_one(network, text).clauses
    shown = {kind: text[slice(*clauses[kind])] for kind in ("next_step", "objection")}
    assert shown == {
        "next_step": "so send it to me by Friday",
        "objection": "and you find me a zero in the bank",
    }


@pytest.mark.parametrize(
    ("role", "possible"),
    [("customer", {"objection"}), ("agent", {"empathy"}), ("unknown", {"objection", "empathy"})],
)
def test_nobody_shows_what_is_about_the_other_party(network: Network, role: str, possible: set[str]) -> None:
    types = read_one(network, "that is frustrating and expensive", role).types
    assert {kind for kind in ("objection", "empathy") if types[kind] > 0.5} == possible
    assert {types[kind] for kind in ("objection", "empathy") if kind not in possible} <= {0.0}


def test_the_last_third_of_a_monologue_counts(network: Network) -> None:
    """5,000 word pieces: some two hundred windows."""
    part = "the price is a price, and that is that. " * 140
    plain = read_one(network, part * 3, "customer")
    ends = read_one(network, part * 3 + "it is expensive", "customer")
    bad_third = read_one(network, part * 2 + "that is expensive and terrible. " * 200, "customer")
    assert plain.types["objection"] < 0.1
    assert ends.types["objection"] > 0.9
    assert (part * 3 + "it is expensive")[slice(*ends.clauses["objection"])].endswith("it is expensive")
    assert plain.sentiment is not None
    assert bad_third.sentiment is not None
    assert bad_third.sentiment[2] > plain.sentiment[2] + 0.2


def test_neighbours_and_order_do_not_matter(network: Network) -> None:
    alone = [network.read([each])[0] for each in TALK]
    for texts, expected in ((TALK, alone), (TALK[::-1], alone[::-1]), (TALK * 9, alone * 9)):
        assert all(map(close, network.read(texts), expected))


def test_sixteen_threads_read_as_one_does(network: Network) -> None:
    """16 x 250 calls, each equal to the one that was made alone."""
    expected = [network.read([each]) for each in TALK]

    def work(first: int) -> int:
        order = [(first + step) % len(TALK) for step in range(250)]
        return sum(network.read([TALK[index]]) == expected[index] for index in order)

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(work, range(16))) == 4000


def test_what_was_just_read_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(reader_folder(), threads=1, remembered=4)
    asked: list[int] = []
    compute = network._compute

    def counted(utterances: list[Utterance]) -> list[Reading | None]:
        asked.append(len(utterances))
        return compute(utterances)

    monkeypatch.setattr(network, "_compute", counted)
    first = network.read(TALK[:3])
    assert network.read(TALK[:3]) == first
    assert network.read([replace(TALK[0], role="agent")]) != first[:1]
    network.read([replace(TALK[0], before=None)])
    assert asked == [3, 0, 1, 1]
    network.read(TALK[:1])
    assert asked[-1] == 1, "the eldest gives way"
    network.forget()
    before = len(asked)
    network.read(TALK[:1])
    assert asked[before:] == [1]


def test_a_text_that_stands_twice_in_a_call_is_read_once_and_answered_twice(network: Network) -> None:
    assert network.read([TALK[0], TALK[1], TALK[0]]) == [*network.read(TALK[:2]), *network.read(TALK[:1])]


def test_nothing_said_and_nothing_asked(network: Network) -> None:
    assert network.read([]) == []
    assert network.read([Utterance(""), Utterance(" ")]) == [None, None]


def test_a_process_has_one_network_for_a_folder() -> None:
    assert network_in(reader_folder(), 1) is network_in(reader_folder(), 1)


@pytest.mark.parametrize("name", ["reader.onnx", "vocab.txt"])
def test_a_file_that_was_tampered_with_is_not_opened(tmp_path: Path, name: str) -> None:
    folder = write_reader(tmp_path)
    with (folder / name).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(ArtefactError, match=f"{name} has not the SHA-256"):
        Network(folder, 1).load()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "no JSON object"),
        ("{", "no JSON"),
        ("{}", "types"),
        (json.dumps({"types": ["x"], "subtypes": []}), "unknown names: x"),
    ],
)
def test_a_manifest_that_says_nothing_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "reader.json").write_text(text)
    with pytest.raises(ArtefactError, match=told):
        ReaderManifest.read(tmp_path)


def test_a_network_of_another_form_is_refused(tmp_path: Path) -> None:
    folder = write_reader(tmp_path)
    about = json.loads((folder / "reader.json").read_text())
    (folder / "reader.json").write_text(json.dumps({**about, "sha256": {"vocab.txt": "0"}}))
    with pytest.raises(ArtefactError, match=r"vocab\.txt has not"):
        Network(folder, 1).load()
    write_reader(tmp_path, sha256={"vocab.txt": about["sha256"]["vocab.txt"]})
    with pytest.raises(ArtefactError, match=r"no SHA-256 of reader\.onnx"):
        Network(folder, 1).load()
