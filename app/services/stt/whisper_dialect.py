"""What the Whisper engines share in talking with the model: codes of languages, prompt, length, words."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from app.schemas.audio import SAMPLE_RATE
from app.schemas.transcript import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

_SPOKEN = (
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht "
    "hu hy id is it ja jv ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl "
    "ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo zh"
)
LANGUAGES = frozenset(_SPOKEN.split())
"""What the multilingual checkpoints speak."""

_WHISPER_CODE = {"jv": "jw"}
"""ISO 639-1 codes that Whisper writes in its own way."""
_ISO_CODE = {own: iso for iso, own in _WHISPER_CODE.items()}

SHORTEST_S = 1.0
"""Shorter samples are filled with silence: the word aligner needs a few frames to work on."""
PROMPT_TOKENS = 223
"""What Whisper reads of the text before: half of its 448 tokens, less the one that marks it."""


@contextmanager
def no_warnings() -> Iterator[None]:
    """The libraries' warnings are to their developers: of slow code, sparse tensors, files left open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def whisper_code(language: str) -> str:
    return _WHISPER_CODE.get(language, language)


def iso_code(language: str) -> str:
    return _ISO_CODE.get(language, language)


def filled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """``samples``, followed by silence where they last less than ``SHORTEST_S``."""
    import numpy as np

    missing = round(SHORTEST_S * SAMPLE_RATE) - len(samples)
    return np.pad(samples, (0, missing)) if missing > 0 else samples


def prompt_of(vocabulary: Sequence[str], count_tokens: Callable[[str], int]) -> str | None:
    """The names as text that comes before what is said: as many of the first as Whisper reads.

    None where there are none. What would read as one of the model's control tokens is taken out.
    """
    prompt = ""
    for name in vocabulary:
        cleaned = " ".join(name.replace("<|", " ").split())
        longer = f"{prompt}, {cleaned}" if prompt else cleaned
        if cleaned and count_tokens(f" {longer}") <= PROMPT_TOKENS:
            prompt = longer
    return prompt or None


def words_of(segments: Iterable[dict[str, Any]]) -> Iterator[Word]:
    """The words of segments as both libraries give them."""
    for segment in segments:
        spoken = [word for word in segment["words"] if word["word"].strip()]
        for word in spoken:
            yield Word(
                word["word"].strip(),
                float(word["start"]),
                float(word["end"]),
                float(word["probability"]),
                space_before=word["word"][:1].isspace(),
                ends_segment=word is spoken[-1],
            )
