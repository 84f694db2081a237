"""Where a HuggingFace model lies on this machine, whether it is complete, and how it is fetched."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from app.core.exceptions import StageFailed
from app.core.reach import is_reachable

WANTED = ("*.json", "*.txt", "*.safetensors")
"""Files that are fetched: never pickles, which run code when they are read."""
_VOCABULARIES = (("tokenizer.json",), ("vocab.txt",), ("vocab.json", "merges.txt"))
PINNED_REVISIONS = {
    "distilbert-base-uncased-finetuned-sst-2-english": "714eb0fa89d2f80546fda750413ed43d93601a13",
}
"""Commits of models whose content is known; other models are fetched at their newest."""


class ModelFolder:
    """One model: ``model`` is a hub name, fetched into ``kept_in``, or a folder that is there already."""

    def __init__(self, model: str, kept_in: Path, hub_url: str) -> None:
        given = Path(os.path.expanduser(model))  # noqa: PTH111 (Path.expanduser raises for unknown users)
        self.from_hub = not (given.is_dir() or given.is_absolute() or model.startswith((".", "~")))
        self.name = model if self.from_hub else given.resolve().name
        self.path = kept_in / model.replace("/", "--") if self.from_hub else given
        self._hub_url = hub_url

    def is_complete(self) -> bool:
        """Configuration, a tokenizer and all safetensors weights are there. Reads no weights."""
        return _is_complete(self.path)

    def hub_answers(self, timeout_s: float) -> bool:
        """Whether the hub takes a connection within ``timeout_s``, looking up its name included."""
        parts = urlsplit(self._hub_url)
        address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        return is_reachable(*address, timeout_s)

    def fetch(self) -> None:
        """Bring the model here: all of it or nothing, and once, however many processes ask.

        An interrupted download goes on where it stopped. Raises StageFailed where it cannot be had.
        """
        from filelock import FileLock

        part = self.path.with_name(f".{self.path.name}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_name(f".{self.path.name}.lock")):
                if self.is_complete():
                    return
                self._download(part)
                if not _is_complete(part):
                    raise StageFailed(
                        "sentiment", f"{self.name} has no safetensors weights with a tokenizer beside them"
                    )
                shutil.rmtree(part / ".cache", ignore_errors=True)
                if self.path.exists():
                    shutil.rmtree(self.path)
                part.rename(self.path)
        except OSError as error:
            raise StageFailed("sentiment", f"{self.name} cannot be stored: {error.strerror}") from error

    def _download(self, into: Path) -> None:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError

        try:
            snapshot_download(
                self.name,
                revision=PINNED_REVISIONS.get(self.name),
                local_dir=into,
                allow_patterns=list(WANTED),
                ignore_patterns=["*/*"],
                endpoint=self._hub_url,
            )
        except HfHubHTTPError as error:
            raise StageFailed(
                "sentiment", f"the hub does not give {self.name}: {type(error).__name__}"
            ) from error
        except Exception as error:
            raise StageFailed(
                "sentiment", f"fetching {self.name} failed: {type(error).__name__}; try again"
            ) from error


def _is_complete(folder: Path) -> bool:
    if not (folder / "config.json").is_file():
        return False
    if not any(all((folder / name).is_file() for name in names) for names in _VOCABULARIES):
        return False
    return (folder / "model.safetensors").is_file() or _has_all_shards(
        folder / "model.safetensors.index.json"
    )


def _has_all_shards(index: Path) -> bool:
    try:
        shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return bool(shards) and all((index.parent / shard).is_file() for shard in shards)
