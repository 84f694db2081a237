"""What servers of the OpenAI audio API answer, made into words; each gives as much as it can."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict

from app.schemas.languages import ISO_639_1
from app.schemas.transcript import Transcript, Word
from app.services.stt.whisper_dialect import iso_code
from app.services.stt.word_times import interpolated, spread, written

_NAMED = """
afrikaans af, albanian sq, amharic am, arabic ar, armenian hy, assamese as, azerbaijani az, bashkir ba,
basque eu, belarusian be, bengali bn, bosnian bs, breton br, bulgarian bg, burmese my, cantonese yue,
castilian es, catalan ca, chinese zh, croatian hr, czech cs, danish da, dutch nl, english en, estonian et,
faroese fo, finnish fi, flemish nl, french fr, galician gl, georgian ka, german de, greek el, gujarati gu,
haitian creole ht, haitian ht, hausa ha, hawaiian haw, hebrew he, hindi hi, hungarian hu, icelandic is,
indonesian id, italian it, japanese ja, javanese jv, kannada kn, kazakh kk, khmer km, korean ko, lao lo,
latin la, latvian lv, letzeburgesch lb, lingala ln, lithuanian lt, luxembourgish lb, macedonian mk,
malagasy mg, malay ms, malayalam ml, maltese mt, mandarin zh, maori mi, marathi mr, moldavian ro, moldovan ro,
mongolian mn, myanmar my, nepali ne, norwegian no, nynorsk nn, occitan oc, panjabi pa, pashto ps, persian fa,
polish pl, portuguese pt, punjabi pa, pushto ps, romanian ro, russian ru, sanskrit sa, serbian sr, shona sn,
sindhi sd, sinhala si, sinhalese si, slovak sk, slovenian sl, somali so, spanish es, sundanese su, swahili sw,
swedish sv, tagalog tl, tajik tg, tamil ta, tatar tt, telugu te, thai th, tibetan bo, turkish tr, turkmen tk,
ukrainian uk, urdu ur, uzbek uz, valencian ca, vietnamese vi, welsh cy, yiddish yi, yoruba yo
"""
_CODE_OF = {name.strip(): code for name, _, code in (entry.rpartition(" ") for entry in _NAMED.split(","))}
_CODES = ISO_639_1.union(_CODE_OF.values())


class _Part(BaseModel):
    """Errors show nothing of the input, which holds what was said."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class _HeardWord(_Part):
    word: str
    start: float | None = None
    end: float | None = None
    probability: float | None = None


class _HeardSegment(_Part):
    text: str = ""
    start: float | None = None
    end: float | None = None
    avg_logprob: float | None = None
    words: tuple[_HeardWord, ...] | None = None

    @property
    def confidence(self) -> float | None:
        """The mean probability of its tokens."""
        return None if self.avg_logprob is None else math.exp(min(self.avg_logprob, 0.0))


class Answer(_Part):
    """The body of an answer (``verbose_json``, or ``json``, which is the text alone)."""

    text: str
    language: str | None = None
    segments: tuple[_HeardSegment, ...] | None = None
    words: tuple[_HeardWord, ...] | None = None


def transcript_of(answer: Answer, length_s: float, language: str | None) -> Transcript:
    """The words in seconds from the start of the window, which lasts ``length_s``.

    ``language`` is the one that was asked for. Words that come without times are spread over their segment,
    or over the window where there are no segments. A word without a confidence gets its segment's.
    """
    segments = answer.segments or ()
    words = list(answer.words or (word for segment in segments for word in segment.words or ()))
    if words:
        heard = _in_segments(interpolated(_written(words, answer.text), length_s), segments)
    elif segments:
        heard = interpolated([word for segment in segments for word in _spread(segment)], length_s)
    else:
        heard = list(spread(answer.text, 0.0, length_s))
    return Transcript(tuple(heard), language or language_code(answer.language))


def language_code(given: str | None) -> str | None:
    """ISO 639-1 (or Whisper's own) code of what a server calls a language: ``english``, ``en``, ``en-US``."""
    name = (given or "").strip().lower()
    code = iso_code(name.replace("_", "-").partition("-")[0])
    return code if code in _CODES else _CODE_OF.get(name)


def _written(words: Sequence[_HeardWord], text: str) -> list[Word]:
    """Some write the space into the word; others give bare words, and the text says how they are written."""
    with_spaces = any(word.word[:1].isspace() for word in words)
    heard = [
        Word(
            word.word,
            _number(word.start),
            _number(word.end),
            word.probability,
            space_before=word.word[:1].isspace() or not with_spaces,
        )
        for word in words
    ]
    return written(heard, text)


def _spread(segment: _HeardSegment) -> tuple[Word, ...]:
    return spread(segment.text, _number(segment.start), _number(segment.end), segment.confidence)


def _in_segments(words: Sequence[Word], segments: Sequence[_HeardSegment]) -> list[Word]:
    """``words`` with the confidence of the segment that holds their middle, and its end marked."""
    placed = sorted(
        (segment for segment in segments if math.isfinite(_number(segment.start))),
        key=lambda segment: _number(segment.start),
    )
    starts = [_number(segment.start) for segment in placed]
    held = [max(bisect_right(starts, (word.start_s + word.end_s) / 2) - 1, 0) for word in words]
    following = [*held[1:], None]
    return [
        replace(
            word,
            confidence=placed[at].confidence if word.confidence is None and placed else word.confidence,
            ends_segment=at != after,
        )
        for word, at, after in zip(words, held, following, strict=True)
    ]


def _number(value: float | None) -> float:
    return math.nan if value is None else value
