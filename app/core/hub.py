"""Brings a model's folder from the HuggingFace hub to this machine: all of it or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from app.core.exceptions import StageFailed
from app.core.reach import is_reachable

HUB_URL = "https://huggingface.co"


def hub_answers(hub_url: str, timeout_s: float) -> bool:
    """Whether the hub takes a connection within ``timeout_s``, looking up its name included."""
    parts = urlsplit(hub_url)
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    return is_reachable(*address, timeout_s)


def fetch_folder(
    stage: str,
    model: str,
    path: Path,
    *,
    patterns: Sequence[str],
    is_complete: Callable[[Path], bool],
    hub_url: str = HUB_URL,
    token: str | None = None,
) -> None:
    """Bring the files of ``model`` that match ``patterns`` into the folder ``path``, replacing what is there.

    Once, however many processes ask; an interrupted download goes on where it stopped. Raises StageFailed of
    ``stage`` where it cannot be had, or ``is_complete`` says that something is missing in what came.
    """
    from filelock import FileLock

    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")):
            if is_complete(path):
                return
            _download(stage, model, part, patterns, hub_url, token)
            if not is_complete(part):
                raise StageFailed(stage, f"{model} does not carry all that it needs")
            shutil.rmtree(part / ".cache", ignore_errors=True)
            if path.exists():
                shutil.rmtree(path)
            part.rename(path)
    except OSError as error:
        raise StageFailed(stage, f"{model} cannot be stored: {error.strerror}") from error


def _download(
    stage: str, model: str, into: Path, patterns: Sequence[str], hub_url: str, token: str | None
) -> None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError

    try:
        snapshot_download(
            model, local_dir=into, allow_patterns=list(patterns), endpoint=hub_url, token=token or False
        )
    except GatedRepoError as error:
        raise StageFailed(
            stage, f"the hub gives {model} only to who has accepted its conditions: {hub_url}/{model}"
        ) from error
    except HfHubHTTPError as error:
        raise StageFailed(stage, f"the hub does not give {model}: {type(error).__name__}") from error
    except Exception as error:
        raise StageFailed(stage, f"fetching {model} failed: {type(error).__name__}; try again") from error
