"""The trained reader that comes with the service: whole, small, and right about what nobody would doubt."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.core.config import Settings
from app.schemas.moment import MomentType, ObjectionSubtype
from app.schemas.reading import Reading
from app.schemas.utterance import Before, Utterance
from app.services.reading.artefact import WEIGHTS, OthersManifest, ReaderManifest, calibrations_of
from app.services.reading.embedding import EmbeddingReader
from app.services.reading.network import Network
from app.services.reading.others import OtherLanguages
from tests.settings import make_settings

ROOT = Path(__file__).resolve().parents[3]
PLAIN = {
    "objection": ("customer", "that is way too expensive for us, we don't have the budget this year"),
    "buying_signal": ("customer", "this would solve our problem, how soon can we get started"),
    "competitor_mention": ("customer", "we already use another vendor for that and they are cheaper"),
    "churn_risk": ("customer", "I want to cancel my subscription at the end of the month."),
    "escalation": ("customer", "This is unacceptable, let me speak to your manager right now."),
    "confusion": ("customer", "Sorry, I don't follow, what do you mean by that?"),
    "hesitation": ("customer", "Let me think about it and maybe get back to you."),
    "discovery_question": ("agent", "Walk me through how you handle missed calls today."),
    "next_step": ("agent", "I will send you the proposal by Friday and we can meet on Tuesday at ten."),
    "empathy": ("agent", "I completely understand, that sounds really frustrating."),
    "overpromise": ("agent", "I guarantee you will double your revenue, it never goes down."),
    "pressure": ("agent", "You would be crazy not to take this, I need a yes today."),
    "discount_offer": ("agent", "I can knock off twenty percent if that helps."),
}
MOST_MISSED = 2
NOTHING = (
    ("agent", "Could you spell your last name for me, please?"),
    ("customer", "It's S as in sugar, M, I, T, H."),
    ("customer", "Okay, one moment, I'm opening the file."),
    ("agent", "You have reached the voicemail of Anna, please leave a message."),
    ("customer", "The second page shows the list of users."),
    ("agent", "How are you today?"),
)


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(WEIGHTS, threads=1, remembered=0)


@pytest.fixture(scope="module")
def talk() -> list[Utterance]:
    lines = (ROOT / "training" / "moments" / "dev" / "en.jsonl").read_text().splitlines()[:60]
    return [
        Utterance(line["text"], line["role"], line["before"] and Before(**line["before"]))
        for line in map(json.loads, lines)
    ]


def read_one(network: Network, role: str, text: str) -> Reading:
    [reading] = network.read([Utterance(text, role)])
    assert reading is not None
    return reading


def test_the_files_are_whole_and_small() -> None:
    assert sum(file.stat().st_size for file in WEIGHTS.iterdir()) <= 30_000_000
    for manifest in (ReaderManifest.read(WEIGHTS), OthersManifest.read(WEIGHTS)):
        assert (set(manifest.types), set(manifest.subtypes)) == (set(MomentType), set(ObjectionSubtype))
        for name, digest in manifest.digests.items():
            assert hashlib.sha256((WEIGHTS / name).read_bytes()).hexdigest() == digest
    assert "Apache License" in (WEIGHTS / "LICENSE.all-MiniLM-L6-v2").read_text()


def test_calibrations_are_found_by_revision(tmp_path: Path) -> None:
    revisions = {kind.read(WEIGHTS).revision for kind in (ReaderManifest, OthersManifest)}
    settings: Settings = make_settings(tmp_path, coachable_classifier="embedding")
    assert set(calibrations_of(settings)) == revisions
    assert calibrations_of(make_settings(tmp_path, coachable_classifier="none")) == {}


def test_it_says_what_nobody_would_doubt(network: Network) -> None:
    thresholds = ReaderManifest.read(WEIGHTS).calibration.thresholds
    missed = {
        kind: text
        for kind, (role, text) in PLAIN.items()
        if read_one(network, role, text).types[kind] < thresholds[kind]
    }
    assert len(missed) <= MOST_MISSED, missed


def test_the_words_that_the_keyword_lists_miss(network: Network) -> None:
    text = "Well, love, you'd have to find me another zero in the bank first."
    before = Before("agent", "All in, that comes to eleven hundred pounds a year.")
    [reading] = network.read([Utterance(text, "customer", before)])
    assert reading is not None
    assert reading.types["objection"] > 0.5
    assert max(reading.subtypes, key=lambda subtype: reading.subtypes[subtype]) == "price"
    assert "zero in the bank" in text[slice(*reading.clauses["objection"])]


def test_it_shows_the_clause_that_carries(network: Network) -> None:
    text = "That sounds great and the team liked the demo, but it is far too expensive for our budget."
    clauses = read_one(network, "customer", text).clauses
    assert text[slice(*clauses["objection"])] == "but it is far too expensive for our budget."


def test_it_leaves_the_ordinary_alone(network: Network) -> None:
    thresholds = ReaderManifest.read(WEIGHTS).calibration.thresholds
    flagged = [
        (text, kind)
        for role, text in NOTHING
        for kind, chance in read_one(network, role, text).types.items()
        if chance >= thresholds[kind]
    ]
    assert len(flagged) <= 1, flagged


def test_feelings(network: Network) -> None:
    said = {
        "that sounds great.": 0,
        "the price is nine hundred dollars a month.": 1,
        "it's a bit too expensive for our budget.": 2,
        "This is the third time it failed, I'm really angry.": 2,
    }
    for text, place in said.items():
        feeling = read_one(network, "customer", text).sentiment
        assert feeling is not None
        assert feeling.index(max(feeling)) == place, (text, feeling)


def test_neighbours_do_not_matter(network: Network, talk: list[Utterance]) -> None:
    """In 8 bits too: each row has a scale of its own."""
    alone = [network.read([each])[0] for each in talk]
    for found, expected in zip(network.read(talk[::-1])[::-1], alone, strict=True):
        assert found is not None
        assert expected is not None
        assert found.types == pytest.approx(expected.types, abs=2e-5)
        assert found.sentiment == pytest.approx(expected.sentiment, abs=2e-5)


def test_threads_read_as_one_does(network: Network, talk: list[Utterance]) -> None:
    few = talk[:12]
    expected = [network.read([each]) for each in few]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda place: network.read([few[place % 12]]), range(96)))
    assert found == expected * 8


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "Es demasiado caro para nosotros, no tenemos presupuesto."),
        ("fr", "C'est beaucoup trop cher pour nous, on n'a pas le budget."),
        ("de", "Das ist uns viel zu teuer, dafür haben wir kein Budget."),
        ("pt", "Isso é muito caro para nós, não temos orçamento."),
        ("hi", "यह हमारे लिए बहुत महंगा है, इतना बजट नहीं है।"),
    ],
)
def test_other_languages(language: str, text: str) -> None:
    others = OtherLanguages(WEIGHTS)
    [reading] = others.read([Utterance(text, "customer")], language)
    assert reading is not None
    assert max(reading.types, key=lambda kind: reading.types[kind]) == "objection"


def test_the_engine_reads_them_all(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, coachable_classifier="embedding")
    assert EmbeddingReader(settings).capabilities.languages == {"en", "es", "fr", "de", "hi", "pt"}
