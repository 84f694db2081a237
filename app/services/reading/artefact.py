"""The trained files on disk: what they say of themselves, and that they are the ones they say they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from app.core.config import Settings
from app.schemas.moment import MomentType, ObjectionSubtype, may_be_said_by
from app.schemas.reading import Calibration, MergeWeights

WEIGHTS = Path(__file__).parent / "weights"
FLOOR = 0.2
"""Merged confidence under which a moment is not worth a line, where the artefact names no other."""

DECIMALS = 6
LEAST_SHOWN = 0.05


class ArtefactError(ValueError):
    """The files are not there, not whole, or not those of such a model. Says which and why."""


def folder_of(settings: Settings) -> Path:
    return settings.coachable_model_dir or WEIGHTS


@dataclass(frozen=True)
class Manifest:
    """What a JSON file says of the trained files beside it."""

    file: ClassVar[str]

    folder: Path
    types: tuple[str, ...]
    subtypes: tuple[str, ...]
    calibration: Calibration
    digests: Mapping[str, str]

    @property
    def revision(self) -> str:
        return self.calibration.revision

    def checked(self, name: str) -> Path:
        """The file ``name``. Raises ArtefactError when its contents are not those that were trained."""
        path = self.folder / name
        expected = self.digests.get(name)
        if expected is None:
            raise ArtefactError(f"{self.file} has no SHA-256 of {name}")
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise ArtefactError(f"{name} cannot be read: {error.strerror}") from error
        if digest != expected:
            raise ArtefactError(f"{name} has not the SHA-256 that {self.file} states")
        return path

    def missing(self) -> str | None:
        """The first of the files that is not there."""
        return next((name for name in self.digests if not (self.folder / name).is_file()), None)


@dataclass(frozen=True)
class ReaderManifest(Manifest):
    """`reader.json`: of the network that reads English."""

    file = "reader.json"

    sentiments: tuple[str, ...]
    longest: int
    longest_before: int

    @classmethod
    def read(cls, folder: Path) -> ReaderManifest:
        """Raises ArtefactError."""
        data = _load(folder / cls.file)
        try:
            return cls(
                **_common(folder, data),
                sentiments=tuple(data["sentiments"]),
                longest=int(data["max_tokens"]),
                longest_before=int(data["max_before_tokens"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ArtefactError(f"{cls.file}: {error!r}") from error


@dataclass(frozen=True)
class OthersManifest(Manifest):
    """`others.json`: of the models of other languages."""

    file = "others.json"

    languages: tuple[str, ...]
    buckets: int

    @classmethod
    def read(cls, folder: Path) -> OthersManifest:
        """Raises ArtefactError."""
        data = _load(folder / cls.file)
        try:
            common = _common(folder, data)
            return cls(**common, languages=tuple(data["languages"]), buckets=int(data["buckets"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ArtefactError(f"{cls.file}: {error!r}") from error


def calibrations_of(settings: Settings) -> dict[str, Calibration]:
    """By revision, of the models that are there; none where the classifier is switched off."""
    if settings.coachable_classifier == "none":
        return {}
    found: dict[str, Calibration] = {}
    for kind in (ReaderManifest, OthersManifest):
        try:
            manifest = kind.read(folder_of(settings))
        except ArtefactError:
            continue  # its engine says so, where calls and people see it
        found[manifest.revision] = manifest.calibration
    return found


def _load(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtefactError(f"{path.name} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ArtefactError(f"{path.name} is no JSON") from error
    if not isinstance(data, dict):
        raise ArtefactError(f"{path.name} is no JSON object")
    return data


def _common(folder: Path, data: Mapping[str, Any]) -> dict[str, Any]:
    types, subtypes = tuple(data["types"]), tuple(data["subtypes"])
    if unknown := {*types} - {*MomentType} | {*subtypes} - {*ObjectionSubtype}:
        raise ValueError(f"unknown names: {', '.join(sorted(unknown))}")
    calibration = Calibration(
        revision=str(data["revision"]),
        thresholds={name: float(data["thresholds"][name]) for name in types},
        weights={name: _weights(data["merge"][name]) for name in types},
        rules=frozenset(data["rules"]),
        floor=float(data.get("floor", FLOOR)),
    )
    return {
        "folder": folder,
        "types": types,
        "subtypes": subtypes,
        "calibration": calibration,
        "digests": dict(data["sha256"]),
    }


def _weights(data: Mapping[str, Any]) -> MergeWeights:
    return MergeWeights(*(float(data[name]) for name in ("a", "b", "c", "d")))


def named_types(names: Sequence[str], values: Sequence[float], role: str) -> dict[str, float]:
    """Probabilities by type; 0 for those that nobody in this role can show."""
    chances = named(names, values)
    return {name: chance if may_be_said_by(role, name) else 0.0 for name, chance in chances.items()}


def named(names: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """Probabilities by name, rounded so that neighbours in a batch do not show, within [0, 1]."""
    return {
        name: min(max(round(value, DECIMALS), 0.0), 1.0) for name, value in zip(names, values, strict=True)
    }


def worth_showing(
    clauses: Mapping[str, tuple[int, int]], chances: Mapping[str, float]
) -> dict[str, tuple[int, int]]:
    """The clauses of types that anybody could come to say; readings are kept, and these are most of one."""
    return {name: span for name, span in clauses.items() if chances[name] >= LEAST_SHOWN}
