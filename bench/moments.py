"""How right moments and sentiment are on the development split: rules alone, classifier alone, both.

The split is of other industries than the talk that the classifier is trained on, and was written at another
time. A type counts as found in a line where a moment of it is listed. Confidence decides where lines are put
in order: for "is coachable".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from app.core.config import Settings
from app.services.coachable_service import CoachableService
from app.services.reading.artefact import calibrations_of
from app.services.reading_service import ReadingService
from app.services.sentiment_service import SentimentService
from app.services.utterances import utterances_of
from bench.report import Figure, write
from training.moments.calibrate import macro_f1, micro_f1
from training.moments.rules import segments_of
from training.moments.talk import (
    OTHER_LANGUAGES,
    SENTIMENTS,
    SUBTYPES,
    TYPES,
    Floats,
    Labels,
    Line,
    labels_of,
    read,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WAYS = ("rules", "classifier", "both")
RECALL = 0.75
_NO_RULES = "xx"
"""A language in which no playbook has a rule."""


@dataclass(frozen=True)
class Found:
    """``types`` (lines, 14): the highest confidence of a listed moment; ``subtypes``: that of the surest
    objection of each line, "" for none."""

    types: Floats
    subtypes: list[str]


def measure() -> list[Figure]:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    lines = read(["dev/en"])
    labels = labels_of(lines)
    found = {way: find(settings, lines, "en", way) for way in WAYS}
    raw = np.array([line.style == "raw" for line in lines])
    said = found["both"].types > 0
    judged = sentiments(settings, lines)
    figures = [
        *_of_style("written transcripts", labels.types[~raw], said[~raw], (0.75, 0.70)),
        *_of_style("raw-recogniser style", labels.types[raw], said[raw], (0.70, 0.62)),
        Figure(
            "is coachable, precision at recall 0.75", precision_at(labels, found["both"]), "", 0.85, False
        ),
        Figure("objection subtype, accuracy", subtype_accuracy(labels, found["both"]), "", 0.80, False),
        Figure("sentiment, accuracy", float((judged == labels.sentiments).mean()), "", 0.80, False),
        Figure("sentiment, macro-F1", sentiment_f1(labels, judged), "", 0.70, False),
        *(_of_language(settings, language) for language in OTHER_LANGUAGES),
    ]
    details = {
        "lines": len(lines),
        "micro_f1": {way: micro_f1(labels.types, found[way].types > 0) for way in WAYS},
        "macro_f1": {way: macro_f1(labels.types, found[way].types > 0) for way in WAYS},
        "from_confidence_0.5": {
            way: {"micro_f1": micro_f1(labels.types, found[way].types >= 0.5),
                  "macro_f1": macro_f1(labels.types, found[way].types >= 0.5)}
            for way in WAYS
        },
        "types": {name: _of_type(labels, found, place) for place, name in enumerate(TYPES)},
        "always_neutral": float((labels.sentiments == SENTIMENTS.index("NEUTRAL")).mean()),
    }  # fmt: skip
    print_types(details)
    write("moments", figures, _confusion(labels, found["both"]), details)
    return figures


def find(settings: Settings, lines: Sequence[Line], language: str, way: str) -> Found:
    """What is listed of each line, by the service's own stages, each line being a call of its own."""
    service = CoachableService(settings, calibrations_of(settings) if way != "rules" else {})
    rules_in = language if way != "classifier" else _NO_RULES
    types, subtypes = np.zeros((len(lines), len(TYPES)), dtype=np.float32), []
    calls = [segments_of(line.utterance) for line in lines]
    utterances = [each for call in calls for each in utterances_of(call)]
    readings = iter(ReadingService(settings).read("embedding", utterances, language))
    for row, call in enumerate(calls):
        read_here = [next(readings) for _ in call]
        moments = [
            moment
            for moment in service.find("line", call, rules_in, readings=read_here)
            if moment.segment == len(call) - 1
        ]
        for moment in moments:
            place = TYPES.index(moment.type)
            types[row, place] = max(types[row, place], moment.confidence)
        objections = [moment for moment in moments if moment.subtype]
        surest = max(objections, key=lambda moment: moment.confidence, default=None)
        subtypes.append(surest.subtype or "" if surest else "")
    return Found(types, subtypes)


def sentiments(settings: Settings, lines: Sequence[Line]) -> Any:
    """The place in ``SENTIMENTS`` of each line's label."""
    judged = SentimentService(settings).analyse("embedding", [line.utterance for line in lines])
    return np.array([SENTIMENTS.index(each.label.value) for each in judged])


def precision_at(labels: Labels, found: Found) -> float:
    """Of the surest lines, as many as hold ``RECALL`` of those that show a moment: how many do."""
    shows = labels.types.any(axis=1)
    in_order = shows[np.argsort(-found.types.max(axis=1), kind="stable")]
    taken = int(np.searchsorted(np.cumsum(in_order), RECALL * shows.sum())) + 1
    return float(in_order[:taken].mean())


def subtype_accuracy(labels: Labels, found: Found) -> float:
    """Over the lines where an objection is and was found."""
    right = [
        bool(truth[SUBTYPES.index(said)])
        for truth, said in zip(labels.subtypes, found.subtypes, strict=True)
        if said and truth.any()
    ]
    return sum(right) / len(right)


def sentiment_f1(labels: Labels, judged: Any) -> float:
    truth = np.eye(len(SENTIMENTS), dtype=np.float32)[labels.sentiments]
    return macro_f1(truth, np.eye(len(SENTIMENTS), dtype=bool)[judged])


def print_types(details: dict[str, Any]) -> None:
    print(f"{'type':20s} lines  F1: rules  classifier  both")
    for name, each in details["types"].items():
        told = "       ".join(f"{each[way]:.2f}" for way in WAYS)
        print(f"{name:20s} {each['lines']:5d}     {told}")
    for average in ("micro_f1", "macro_f1"):
        told = "       ".join(f"{details[average][way]:.2f}" for way in WAYS)
        print(f"{average:20s}           {told}")


def _of_style(style: str, truth: Floats, said: Any, targets: tuple[float, float]) -> list[Figure]:
    return [
        Figure(f"{style}, micro-F1", micro_f1(truth, said), "", targets[0], False),
        Figure(f"{style}, macro-F1", macro_f1(truth, said), "", targets[1], False),
    ]


def _of_language(settings: Settings, language: str) -> Figure:
    lines = read([f"dev/{language}"])
    said = find(settings, lines, language, "both").types > 0
    return Figure(f"{language}, micro-F1", micro_f1(labels_of(lines).types, said), "", 0.40, False)


def _of_type(labels: Labels, found: dict[str, Found], place: int) -> dict[str, Any]:
    truth = labels.types[:, [place]]
    each = {way: micro_f1(truth, found[way].types[:, [place]] > 0) for way in WAYS}
    return {"lines": int(truth.sum()), **each}


def _confusion(labels: Labels, found: Found) -> Callable[[Axes], None]:
    """Of the lines that show one type alone: which is the surest that was found."""
    names = (*TYPES, "none")
    counts = np.zeros((len(names), len(names)))
    for truth, said in zip(labels.types, found.types, strict=True):
        if truth.sum() <= 1:
            row = int(truth.argmax()) if truth.any() else len(TYPES)
            counts[row, int(said.argmax()) if said.any() else len(TYPES)] += 1
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    def draw(axes: Axes) -> None:
        figure: Any = axes.figure
        figure.set_size_inches(8.5, 7.5)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=8)
        axes.set_yticks(range(len(names)), names, fontsize=8)
        axes.set_xlabel("found (the surest)")
        axes.set_ylabel("labelled")
        for row, column in zip(*np.nonzero(counts), strict=True):
            colour = "white" if shares[row, column] > 0.55 else "black"
            axes.text(
                column, row, f"{counts[row, column]:.0f}", ha="center", va="center", fontsize=7, color=colour
            )

    return draw


if __name__ == "__main__":
    measure()
