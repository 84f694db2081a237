"""Decodes several windows at once with faster-whisper's model, each as Whisper decodes one recording.

faster-whisper's own batched pipeline drops what follows the last time token, tries but one temperature, and
lets the words of one window bound those of the next. Here every window keeps a place of its own; a round
encodes all of them together from their places on, decodes together those of one language, and moves each on
by what it heard, as openai-whisper's ``transcribe`` does.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from app.services.stt.whisper_dialect import prompt_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FRAMES = 3000
"""Frames of the spectrum, 10 ms each, that the model takes: 30 s."""
FRAMES_PER_S = 100
TIME_TOKEN_S = 0.02
LEAST_STEP = 50
"""Frames by which every round moves on: a model that finds one short word at a time would take for ever."""
PREPENDED, APPENDED = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"
"""Marks that belong to the word after or before them; openai-whisper's."""

TOO_REPETITIVE = 2.4
TOO_UNLIKELY = -1.0
NO_SPEECH = 0.6
"""openai-whisper's thresholds: compression ratio, mean log probability of a token, probability of silence."""
FIRST_ATTEMPT: dict[str, Any] = {"beam_size": 1}
FURTHER_ATTEMPTS: tuple[dict[str, Any], ...] = (
    {"beam_size": 5},
    {"beam_size": 5, "no_repeat_ngram_size": 6, "repetition_penalty": 1.1},
)
"""What is tried in turn where the attempt before was too unlikely or too repetitive.

openai-whisper draws at random there. CTranslate2's generator cannot be set back to a seed (each thread keeps
its own), so that what was heard before would matter; wider searches need no chance.
"""


@dataclass
class Window:
    """A window on its way: ``at`` is the frame up to which it is heard, ``segments`` what was.

    ``features``: log mel spectrum, shape (bands, frames + 1). ``language``: Whisper's code, None until it is
    detected. ``segments`` have faster-whisper's keys.
    """

    features: NDArray[np.float32]
    language: str | None
    vocabulary: tuple[str, ...] = ()
    confidence: float | None = None
    at: int = 0
    last_word_s: float = 0.0
    segments: list[dict[str, Any]] = field(default_factory=list)

    @property
    def frames(self) -> int:
        return int(self.features.shape[-1]) - 1

    @property
    def step(self) -> int:
        """Frames that the model takes of it next."""
        return min(FRAMES, self.frames - self.at)


@dataclass(frozen=True)
class Decoded:
    """Tokens that the model gave; ``ratio``: how much smaller their text gets when compressed."""

    tokens: list[int]
    likelihood: float
    no_speech: float
    ratio: float

    @property
    def is_silence(self) -> bool:
        return self.no_speech > NO_SPEECH and self.likelihood <= TOO_UNLIKELY

    @property
    def is_good(self) -> bool:
        return self.is_silence or (self.ratio <= TOO_REPETITIVE and self.likelihood >= TOO_UNLIKELY)


class WindowDecoder:
    """Wraps a ``faster_whisper.WhisperModel``, which several may share. One thread each."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._tokenizers: dict[str, Any] = {}

    def hear(self, windows: Sequence[Window]) -> None:
        """Fill in the segments of ``windows``, and the language where it is None."""
        while active := [window for window in windows if window.step > 0]:
            encoded = self._encoded(active)
            self._detect(active, encoded)
            places = sorted(range(len(active)), key=lambda place: _alike(active[place]))
            for _, group in groupby(places, key=lambda place: _alike(active[place])):
                chosen = list(group)
                self._hear_alike([active[place] for place in chosen], encoded[chosen])

    def _encoded(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """What the encoder makes of the next 30 s of each, on the CPU: shape (windows, 1500, state)."""
        import numpy as np

        batch = np.zeros((len(windows), windows[0].features.shape[0], FRAMES), dtype=np.float32)
        for row, window in zip(batch, windows, strict=True):
            row[:, : window.step] = window.features[:, window.at : window.at + window.step]
        # A processor's caches hold the attention of one window at best; a GPU wants them all at once.
        at_once = 1 if self._model.model.device == "cpu" else len(batch)
        parts = [batch[first : first + at_once] for first in range(0, len(batch), at_once)]
        return np.concatenate(
            [np.array(self._model.model.encode(_stored(part), to_cpu=True)) for part in parts]
        )

    def _detect(self, windows: Sequence[Window], encoded: NDArray[np.float32]) -> None:
        unknown = [place for place, window in enumerate(windows) if window.language is None]
        if not unknown:
            return
        if not self._model.model.is_multilingual:
            for place in unknown:
                windows[place].language = "en"
            return
        found = self._model.model.detect_language(_stored(encoded[unknown]))
        for place, likely in zip(unknown, found, strict=True):
            token, windows[place].confidence = max(likely, key=_probability)
            windows[place].language = token.strip("<|>")

    def _hear_alike(self, windows: Sequence[Window], encoded: NDArray[np.float32]) -> None:
        """One round over windows of one language and vocabulary."""
        tokenizer = self._tokenizer(windows[0].language or "en")
        prompt = self._prompt(tokenizer, windows[0].vocabulary)
        first = self._decoded(encoded, prompt, tokenizer, FIRST_ATTEMPT)
        for row, (window, decoded) in enumerate(zip(windows, first, strict=True)):
            own = encoded[row : row + 1]
            heard = decoded if decoded.is_good else self._retried(decoded, own, prompt, tokenizer)
            self._move_on(window, heard, own, tokenizer)

    def _retried(
        self, first: Decoded, encoded: NDArray[np.float32], prompt: list[int], tokenizer: Any
    ) -> Decoded:
        """The first good attempt, else the likeliest of those that do not repeat themselves."""
        tried = [first]
        for attempt in FURTHER_ATTEMPTS:
            tried += self._decoded(encoded, prompt, tokenizer, attempt)
            if tried[-1].is_good:
                return tried[-1]
        varied = [decoded for decoded in tried if decoded.ratio <= TOO_REPETITIVE]
        return max(varied or tried, key=lambda decoded: decoded.likelihood)

    def _decoded(
        self, encoded: NDArray[np.float32], prompt: list[int], tokenizer: Any, attempt: dict[str, Any]
    ) -> list[Decoded]:
        results = self._model.model.generate(
            _stored(encoded),
            [prompt] * len(encoded),
            return_scores=True,
            return_no_speech_prob=True,
            **attempt,
        )
        decoded = []
        for result in results:
            tokens = result.sequences_ids[0]
            # The score is a mean over the tokens; the end of the text counts as one more.
            likelihood = result.scores[0] * len(tokens) / (len(tokens) + 1)
            ratio = _compression(tokenizer.decode(tokens).strip())
            decoded.append(Decoded(tokens, likelihood, result.no_speech_prob, ratio))
        return decoded

    def _move_on(self, window: Window, heard: Decoded, encoded: NDArray[np.float32], tokenizer: Any) -> None:
        """Add what was heard from ``window.at`` on, and move that past it."""
        began, step = window.at, window.step
        window.at += step
        if heard.is_silence or not any(token < tokenizer.eot for token in heard.tokens):
            return
        begins_s = began / FRAMES_PER_S
        pieces, is_finished = cut_at_times(heard.tokens, tokenizer.timestamp_begin, step / FRAMES_PER_S)
        segments: list[dict[str, Any]] = [
            {"seek": began, "start": begins_s + start_s, "end": begins_s + end_s, "tokens": each}
            for start_s, end_s, each in pieces
        ]
        self._model.add_word_timestamps(
            [segments], tokenizer, _stored(encoded), step, PREPENDED, APPENDED, window.last_word_s
        )
        spoken = [segment for segment in segments if segment["words"]]
        ends_s = spoken[-1]["words"][-1]["end"] if spoken else pieces[-1][1] + begins_s
        if not is_finished:
            window.at = min(window.at, max(round(ends_s * FRAMES_PER_S), began + LEAST_STEP))
        if spoken:
            window.last_word_s = ends_s
        window.segments += [segment for segment in spoken if segment["start"] != segment["end"]]

    def _prompt(self, tokenizer: Any, vocabulary: tuple[str, ...]) -> list[int]:
        names = prompt_of(vocabulary, lambda text: len(tokenizer.encode(text)))
        before = [tokenizer.sot_prev, *tokenizer.encode(f" {names}")] if names else []
        return [*before, *tokenizer.sot_sequence]

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        if language not in self._tokenizers:
            self._tokenizers[language] = Tokenizer(
                self._model.hf_tokenizer,
                self._model.model.is_multilingual,
                task="transcribe",
                language=language,
            )
        return self._tokenizers[language]


def cut_at_times(
    tokens: Sequence[int], time_zero: int, length_s: float
) -> tuple[list[tuple[float, float, list[int]]], bool]:
    """Segments as (start, end, tokens), and whether the model said all that it had to say.

    Tokens from ``time_zero`` on are times, ``TIME_TOKEN_S`` apart. Two in a row part two segments; what
    follows the last such pair is left out, unless a single time ends it. Without a pair all is one segment,
    up to its last time or else ``length_s``.
    """
    times = [token >= time_zero for token in tokens]
    cuts = [place for place in range(1, len(tokens)) if times[place - 1] and times[place]]
    is_finished = times[-2:] == [False, True]
    if not cuts:
        last = max((token for token in tokens if token > time_zero), default=None)
        end_s = length_s if last is None else (last - time_zero) * TIME_TOKEN_S
        return [(0.0, end_s, list(tokens))], is_finished
    if is_finished:
        cuts.append(len(tokens))
    parts = [list(tokens[begin:end]) for begin, end in pairwise([0, *cuts])]
    return [
        ((max(part[0], time_zero) - time_zero) * TIME_TOKEN_S, (part[-1] - time_zero) * TIME_TOKEN_S, part)
        for part in parts
    ], is_finished


def _alike(window: Window) -> tuple[str, tuple[str, ...]]:
    return window.language or "", window.vocabulary


def _probability(likely: tuple[str, float]) -> float:
    return likely[1]


def _compression(text: str) -> float:
    written = text.encode()
    return len(written) / len(zlib.compress(written))


def _stored(values: NDArray[np.float32]) -> Any:
    import ctranslate2
    import numpy as np

    return ctranslate2.StorageView.from_array(np.ascontiguousarray(values))
