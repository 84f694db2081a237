"""Batches hold every text once, within their bounds; tables keep every number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.services.batches import pad, plan

LENGTHS = st.lists(st.integers(min_value=1, max_value=512), max_size=200)
ROWS = st.lists(st.lists(st.integers(1, 9), max_size=6), min_size=1, max_size=8)


@given(LENGTHS)
def test_every_text_is_in_one_batch(lengths: list[int]) -> None:
    batches = plan(lengths)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))


@given(LENGTHS)
def test_batches_are_bounded_and_in_order_of_length(lengths: list[int]) -> None:
    batches = plan(lengths, texts=8, tokens=600)
    for batch in batches:
        longest = max(lengths[index] for index in batch)
        assert len(batch) <= 8
        assert len(batch) == 1 or len(batch) * longest <= 600
    in_order = [lengths[index] for batch in batches for index in batch]
    assert in_order == sorted(lengths)


def test_texts_of_one_length_fill_batches_of_32() -> None:
    assert [len(batch) for batch in plan([20] * 70)] == [32, 32, 6]


@given(ROWS, st.booleans())
def test_rows_stay_whole_beside_their_padding(rows: list[list[int]], from_left: bool) -> None:
    table = pad(rows, 0, from_left=from_left).tolist()
    longest = max(map(len, rows))
    for row, padded in zip(rows, table, strict=True):
        blank = [0] * (longest - len(row))
        assert padded == (blank + row if from_left else row + blank)
