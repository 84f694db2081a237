"""The reader's input: pieces, kinds, windows, and tokens as a plain tokenizer makes them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from tokenizers import BertWordPieceTokenizer

from app.schemas.utterance import Before, Utterance
from app.services.reading.clauses import clauses
from app.services.reading.pairs import PairEncoder
from tests.services.reading.miniature import reader_folder

LONGEST, LONGEST_BEFORE = 32, 8
LONG = "you'd have to find me a zero in the bank, and the price is a lot for us. " * 9


@pytest.fixture(scope="module")
def encoder() -> PairEncoder:
    return PairEncoder(reader_folder() / "vocab.txt", LONGEST, LONGEST_BEFORE)


@pytest.fixture(scope="module")
def plain() -> BertWordPieceTokenizer:
    return BertWordPieceTokenizer(str(reader_folder() / "vocab.txt"), lowercase=True)


def test_one_window_is_what_a_tokenizer_makes_of_the_pair(
    encoder: PairEncoder, plain: BertWordPieceTokenizer
) -> None:
    utterance = Utterance("The bank is a zero.", "customer", Before("agent", "That is it"))
    [window] = encoder.windows(utterance)
    expected = plain.encode("customer : The bank is a zero.", "agent : That is it")
    assert (list(window.ids), list(window.kinds)) == (expected.ids, expected.type_ids)
    assert len(window.clauses) == len(window.ids)
    assert [clause >= 0 for clause in window.clauses][3:9] == [True] * 6
    assert window.said == 6


def test_without_a_turn_before_there_is_no_second_part(encoder: PairEncoder) -> None:
    for before in (None, Before("agent", "  ")):
        [window] = encoder.windows(Utterance("the bank", "customer", before))
        assert set(window.kinds) == {0}


def test_of_the_turn_before_the_end_is_read(encoder: PairEncoder, plain: BertWordPieceTokenizer) -> None:
    [window] = encoder.windows(Utterance("the bank", "customer", Before("agent", LONG)))
    second = [piece for piece, kind in zip(window.ids, window.kinds, strict=True) if kind]
    assert second[:-1] == plain.encode(f"agent : {LONG}", add_special_tokens=False).ids[-LONGEST_BEFORE:]


@pytest.mark.parametrize("before", [None, Before("agent", LONG)])
@pytest.mark.parametrize("text", [LONG, "zero " * 500, "z" * 99 + " " + "q" * 90, LONG.replace(",", "")])
def test_a_long_text_is_read_whole_in_windows(
    encoder: PairEncoder, plain: BertWordPieceTokenizer, text: str, before: Before | None
) -> None:
    windows = encoder.windows(Utterance(text, "agent", before))
    assert len(windows) > 1
    assert all(len(window.ids) <= LONGEST for window in windows)
    read = [
        piece
        for window in windows
        for piece, clause in zip(window.ids, window.clauses, strict=True)
        if clause >= 0
    ]
    assert read == plain.encode(text, add_special_tokens=False).ids
    prefix = plain.encode("agent :", add_special_tokens=False).ids
    assert all(list(window.ids[1:3]) == prefix for window in windows)


def test_windows_end_between_clauses_where_they_can(encoder: PairEncoder) -> None:
    windows = encoder.windows(Utterance(LONG, "agent"))
    clause_sets = [{clause for clause in window.clauses if clause >= 0} for window in windows]
    assert sum(bool(one & two) for one, two in pairwise(clause_sets)) < len(windows) - 1
    assert set().union(*clause_sets) == set(range(len(clauses(LONG))))


@pytest.mark.parametrize("text", ["", "  ", "\u200b"])
def test_nothing_said_is_no_window(encoder: PairEncoder, text: str) -> None:
    assert encoder.windows(Utterance(text)) == []


def test_an_unheard_of_role_is_unknown(encoder: PairEncoder) -> None:
    assert encoder.windows(Utterance("zero", "boss")) == encoder.windows(Utterance("zero", "unknown"))


def test_sixteen_threads_encode_as_one_does(encoder: PairEncoder) -> None:
    texts = [f"the price is {number} a zero, you see? " * (number % 7 + 1) for number in range(250)]
    expected = [encoder.windows(Utterance(text)) for text in texts]

    def work(_: int) -> bool:
        return [encoder.windows(Utterance(text)) for text in texts] == expected

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(16)))
