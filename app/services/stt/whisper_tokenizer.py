"""Builds the tokenizer.json of a Whisper model from the vocabulary that openai-whisper carries."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tiktoken import Encoding
    from tokenizers import Tokenizer


def vocabulary(encoding: Encoding) -> list[str]:
    """All tokens in the order of their ids, written as GPT-2 writes them: a printable character a byte."""
    specials = sorted(encoding.special_tokens_set, key=encoding.encode_single_token)
    return [*map(_printable, _ranks(encoding)), *specials]


def build_tokenizer(encoding: Encoding) -> Tokenizer:
    """A tokenizer that splits text into the same ids as ``encoding``.

    It knows the special tokens up to the first time: faster-whisper finds the times by counting.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    ranks = _ranks(encoding)
    known = {_printable(token): rank for token, rank in ranks.items()}
    merges = [(_printable(left), _printable(right)) for left, right in _merges(ranks)]
    tokenizer = Tokenizer(models.BPE(vocab=known, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    names = vocabulary(encoding)[encoding.eot_token : encoding.encode_single_token("<|0.00|>")]
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    return tokenizer


def _ranks(encoding: Encoding) -> dict[bytes, int]:
    """The tokens of text, in the order of their ids; the end of text is the first token after them."""
    return {encoding.decode_single_token_bytes(rank): rank for rank in range(encoding.eot_token)}


def _printable(token: bytes) -> str:
    return "".join(_BYTE_CHARACTERS[byte] for byte in token)


def _byte_characters() -> dict[int, str]:
    """GPT-2's table: printable Latin-1 stands for itself, the other bytes for the characters from 256 on."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + at) for at, byte in enumerate(others)}


_BYTE_CHARACTERS = _byte_characters()


def _merges(ranks: Mapping[bytes, int]) -> Iterator[tuple[bytes, bytes]]:
    """The pair that each token was merged from, by rank."""
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) > 1:
            left, right = _parts_before(token, rank, ranks)
            yield left, right


def _parts_before(token: bytes, rank: int, ranks: Mapping[bytes, int]) -> list[bytes]:
    """``token`` as the merges of lower rank than its own leave it: the two parts of its own merge."""
    parts = [bytes([byte]) for byte in token]
    while True:
        joined = [ranks.get(left + right, rank) for left, right in pairwise(parts)]
        lowest = min(joined, default=rank)
        if lowest >= rank:
            return parts
        at = joined.index(lowest)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
