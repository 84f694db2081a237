"""The trained network: reads utterances, many at once, and says how much each clause carried."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.schemas.reading import Reading
from app.schemas.utterance import Utterance
from app.services.batches import pad, plan
from app.services.reading.artefact import (
    DECIMALS,
    ArtefactError,
    ReaderManifest,
    named,
    named_types,
    worth_showing,
)
from app.services.reading.clauses import Span, clauses
from app.services.reading.pairs import PairEncoder, Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

REMEMBERED = 4096
"""Readings kept, so that two stages that ask for the same call's pay for one pass: some 6 MB at most."""
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_OUTPUTS = ("moments", "subtypes", "sentiment", "carried")


@dataclass(frozen=True)
class _Judged:
    """The network's answer to one window."""

    window: Window
    types: Floats
    subtypes: Floats
    sentiment: Floats
    carried: Floats
    """Of shape (types, pieces)."""


@lru_cache(maxsize=2)
def network_in(folder: Path, threads: int) -> Network:
    """The one network of this process that was trained into ``folder``."""
    return Network(folder, threads)


class Network:
    """Thread-safe; the model is opened once, when it is first needed.

    What it says of an utterance does not depend on what else it is asked, but for the sixth decimal.
    """

    def __init__(self, folder: Path, threads: int, remembered: int = REMEMBERED) -> None:
        self._folder = folder
        self._threads = threads
        self._remembered = remembered
        self._lock = threading.Lock()
        self._loaded: tuple[ReaderManifest, PairEncoder, Any] | None = None
        self._known: OrderedDict[bytes, Reading | None] = OrderedDict()

    def load(self) -> tuple[ReaderManifest, PairEncoder, Any]:
        """Raises ArtefactError for files that are not the ones that were trained."""
        with self._lock:
            if self._loaded is None:
                manifest = ReaderManifest.read(self._folder)
                vocabulary = manifest.checked("vocab.txt")
                encoder = PairEncoder(vocabulary, manifest.longest, manifest.longest_before)
                self._loaded = (manifest, encoder, _open(manifest.checked("reader.onnx")))
            return self._loaded

    def read(self, utterances: Sequence[Utterance]) -> list[Reading | None]:
        """One reading an utterance, in order; None where it holds no word. Raises ArtefactError."""
        self.load()
        keys = [_key(utterance) for utterance in utterances]
        with self._lock:
            known = {key: self._known[key] for key in keys if key in self._known}
        new = {key: each for key, each in zip(keys, utterances, strict=True) if key not in known}
        known.update(zip(new, self._compute(list(new.values())), strict=True))
        with self._lock:
            for key in new:
                self._known[key] = known[key]
            while len(self._known) > self._remembered:
                self._known.popitem(last=False)
        return [known[key] for key in keys]

    def forget(self) -> None:
        """Read everything anew from now on."""
        with self._lock:
            self._known.clear()

    def _compute(self, utterances: Sequence[Utterance]) -> list[Reading | None]:
        manifest, encoder, _ = self.load()
        spans = [clauses(utterance.text) for utterance in utterances]
        windows = [encoder.windows(each, span) for each, span in zip(utterances, spans, strict=True)]
        judged = iter(self._judge([window for parts in windows for window in parts]))
        return [
            _reading(manifest, utterance, span, [next(judged) for _ in parts]) if parts else None
            for utterance, span, parts in zip(utterances, spans, windows, strict=True)
        ]

    def _judge(self, windows: Sequence[Window]) -> list[_Judged]:
        """The longest batches first, so that no thread is left with one at the end."""
        _, encoder, session = self.load()
        batches = plan([len(window.ids) for window in windows])[::-1]
        tables = [_table([windows[index] for index in batch], encoder.padding) for batch in batches]
        with ThreadPoolExecutor(self._threads, thread_name_prefix="reader") as threads:
            answered = list(threads.map(lambda table: session.run(_OUTPUTS, table), tables))
        answers: dict[int, _Judged] = {}
        for batch, outputs in zip(batches, answered, strict=True):
            for row, index in enumerate(batch):
                types, subtypes, sentiment, carried = (output[row] for output in outputs)
                window = windows[index]
                answers[index] = _Judged(window, types, subtypes, sentiment, carried[:, : len(window.ids)])
        return [answers[index] for index in range(len(windows))]


def _open(file: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread a batch, batches beside one another: two threads within each product take half as long again.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    names = {each.name for each in session.get_inputs()}, {each.name for each in session.get_outputs()}
    if names[0] != set(_INPUTS) or not names[1].issuperset(_OUTPUTS):
        raise ArtefactError(f"{file.name} reads {sorted(names[0])} and answers {sorted(names[1])}")
    return session


def _table(windows: Sequence[Window], padding: int) -> dict[str, NDArray[np.int64]]:
    return {
        "input_ids": pad([window.ids for window in windows], padding, from_left=False),
        "attention_mask": pad([(1,) * len(window.ids) for window in windows], 0, from_left=False),
        "token_type_ids": pad([window.kinds for window in windows], 0, from_left=False),
    }


def _reading(
    manifest: ReaderManifest, utterance: Utterance, spans: Sequence[Span], judged: Sequence[_Judged]
) -> Reading:
    """Of several windows: the highest probability of each type with its clause, the subtypes of the window
    that is most of an objection, and the mean sentiment, weighted by length."""
    import numpy as np

    types = np.stack([each.types for each in judged])
    chances = named_types(manifest.types, types.max(axis=0).tolist(), utterance.role)
    surest = types.argmax(axis=0)
    of_objection = surest[manifest.types.index("objection")]
    lengths = np.array([each.window.said for each in judged], dtype=np.float64)
    feelings = np.stack([each.sentiment for each in judged])
    feeling = (lengths / lengths.sum()) @ feelings
    return Reading(
        revision=manifest.revision,
        role=utterance.role,
        types=chances,
        subtypes=named(manifest.subtypes, judged[of_objection].subtypes.tolist()),
        sentiment=_sentiment(dict(zip(manifest.sentiments, feeling.tolist(), strict=True))),
        clauses=worth_showing(_carriers(manifest.types, judged, surest.tolist(), spans), chances),
    )


def _carriers(
    types: Sequence[str], judged: Sequence[_Judged], surest: Sequence[int], spans: Sequence[Span]
) -> dict[str, Span]:
    """For each type the clause to which the pieces of its surest window added most."""
    import numpy as np

    if not spans:
        return {}
    best: dict[str, Span] = {}
    for number in sorted(set(surest)):
        window = judged[number].window
        lies_in = np.array(window.clauses)[None, :] == np.arange(len(spans))[:, None]
        added = lies_in @ judged[number].carried.T
        added[~lies_in.any(axis=1)] = -np.inf
        chosen = added.argmax(axis=0)
        for place, name in enumerate(types):
            if surest[place] == number:
                best[name] = spans[chosen[place]]
    return best


def _sentiment(chances: Mapping[str, float]) -> tuple[float, float, float]:
    """Positive, neutral and negative, which sum to 1."""
    total = sum(chances.values())
    positive = round(chances["POSITIVE"] / total, DECIMALS)
    negative = round(chances["NEGATIVE"] / total, DECIMALS)
    return positive, max(round(1 - positive - negative, DECIMALS), 0.0), negative


def _key(utterance: Utterance) -> bytes:
    """A digest, so that no words of a call lie about longer than it takes to read them."""
    before = utterance.before
    parts = (utterance.role, utterance.text, before and before.role, before and before.text)
    return hashlib.blake2b(repr(parts).encode(errors="surrogatepass"), digest_size=20).digest()
