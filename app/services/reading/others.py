"""Readers of other languages: one logistic regression over character n-grams for each."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.schemas.reading import Reading
from app.schemas.utterance import Utterance
from app.services.reading.artefact import (
    LEAST_SHOWN,
    ArtefactError,
    OthersManifest,
    named,
    named_types,
    worth_showing,
)
from app.services.reading.clauses import Span, clauses
from app.services.reading.ngrams import features

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_FILE = "others.npz"


@dataclass(frozen=True)
class _Model:
    """``weights`` of shape (buckets, types and then subtypes); ``bias`` has one for each of these."""

    weights: Floats
    bias: Floats


class OtherLanguages:
    """Thread-safe; the files are read once, when they are first needed. Judges no sentiment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._loaded: tuple[OthersManifest, dict[str, _Model]] | None = None

    def load(self) -> tuple[OthersManifest, dict[str, _Model]]:
        """Raises ArtefactError for files that are not the ones that were trained."""
        with self._lock:
            if self._loaded is None:
                manifest = OthersManifest.read(self._folder)
                self._loaded = (manifest, _models(manifest, manifest.checked(_FILE)))
            return self._loaded

    def read(self, utterances: Sequence[Utterance], language: str) -> list[Reading | None]:
        """One reading an utterance; None where it holds no word. Raises ArtefactError, or KeyError for a
        language that there is no model of."""
        manifest, models = self.load()
        return [_read(manifest, models[language], utterance) for utterance in utterances]


def _models(manifest: OthersManifest, file: Path) -> dict[str, _Model]:
    import numpy as np

    width = len(manifest.types) + len(manifest.subtypes)
    models: dict[str, _Model] = {}
    try:
        with np.load(file, allow_pickle=False) as arrays:
            for language in manifest.languages:
                weights = arrays[f"{language}_weights"].astype(np.float32)
                bias = arrays[f"{language}_bias"].astype(np.float32)
                if weights.shape != (manifest.buckets, width) or bias.shape != (width,):
                    raise ArtefactError(f"{file.name}: the arrays of {language} have another shape")
                models[language] = _Model(weights, bias)
    except (OSError, KeyError) as error:
        raise ArtefactError(f"{file.name}: {error}") from error
    return models


def _read(manifest: OthersManifest, model: _Model, utterance: Utterance) -> Reading | None:
    import numpy as np

    scores = _scores(model, utterance, manifest.buckets)
    if scores is None:
        return None
    border = len(manifest.types)
    chances = 1 / (1 + np.exp(-(scores[:border] + model.bias[:border]).astype(np.float64)))
    of_kinds = scores[border:] + model.bias[border:]
    kinds = np.exp(of_kinds - of_kinds.max())
    types = named_types(manifest.types, chances.tolist(), utterance.role)
    return Reading(
        revision=manifest.revision,
        role=utterance.role,
        types=types,
        subtypes=named(manifest.subtypes, (kinds / kinds.sum()).tolist()),
        clauses=worth_showing(_carriers(manifest, model, utterance), types)
        if max(types.values()) >= LEAST_SHOWN
        else {},
    )


def _scores(model: _Model, utterance: Utterance, buckets: int) -> Floats | None:
    places, values = features(utterance, buckets)
    return values @ model.weights[places] if len(places) else None


def _carriers(manifest: OthersManifest, model: _Model, utterance: Utterance) -> dict[str, Span]:
    """For each type the clause that by itself speaks most for it."""
    import numpy as np

    spans = clauses(utterance.text)
    said = [_scores(model, replace(utterance, text=utterance.text[slice(*span)]), manifest.buckets)
            for span in spans]  # fmt: skip
    heard = [(span, scores) for span, scores in zip(spans, said, strict=True) if scores is not None]
    if not heard:
        return {}
    chosen = np.stack([scores for _, scores in heard]).argmax(axis=0)
    return {name: heard[chosen[place]][0] for place, name in enumerate(manifest.types)}
