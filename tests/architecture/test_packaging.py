"""pyproject.toml, the lock and the make words belong together."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.lock import Target, direct_requirements, marker_for

ROOT = Path(__file__).resolve().parents[2]
ASKED_FOR = {"pyannote", "piper"}
"""Engines that come with what not everybody wants: pyproject.toml says what."""
WORDS = {"help", "setup", "run", "demo", "test", "lint", "type"}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins() -> dict[str, Requirement]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line.partition("#")[0]) for line in lines if not line.startswith("#")]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def test_every_dependency_is_pinned_within_its_range() -> None:
    locked = pins()
    for requirement in direct_requirements(ROOT / "pyproject.toml"):
        pin = locked[canonicalize_name(requirement.name)]
        (specifier,) = pin.specifier
        assert requirement.specifier.contains(specifier.version), requirement


def test_lock_holds_exact_public_versions_and_no_address() -> None:
    for requirement in pins().values():
        (specifier,) = requirement.specifier
        assert (specifier.operator, requirement.url) == ("==", None)
        assert "+" not in specifier.version
        assert "*" not in specifier.version
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if "://" in line and not line.startswith("#")]
    assert not [line for line in lines if line.startswith("-")]


def test_lock_is_sorted_and_leaves_the_project_itself_out() -> None:
    names = list(pins())
    assert names == sorted(names)
    assert canonicalize_name(project()["project"]["name"]) not in names


def test_what_exists_on_one_system_only_is_marked_so() -> None:
    triton = pins()["triton"].marker
    assert triton is not None
    linux = Target('sys_platform == "linux" and platform_machine == "x86_64"', "3.13")
    macos = Target('sys_platform == "darwin"', "3.13")
    assert triton.evaluate(linux.environment())
    assert not triton.evaluate(macos.environment())


def test_marker_names_systems_and_versions() -> None:
    macos = 'sys_platform == "darwin"'
    assert marker_for({Target(macos, python) for python in ("3.11", "3.12", "3.13", "3.14")}) == macos
    assert marker_for({Target(macos, "3.11")}) == f'{macos} and python_version == "3.11"'


@pytest.mark.parametrize("stage", ["stt", "tts", "sentiment", "diarization"])
def test_every_engine_that_needs_a_library_has_an_extra_of_its_name(stage: str) -> None:
    extras = set(project()["project"]["optional-dependencies"])
    registry = getattr(import_module(f"app.services.{stage}.registry"), f"{stage.upper()}_ENGINES")
    without_library = {"scripted", "openai_api", "channel", "voiceprint", "pauses"}
    assert set(registry.names()) - without_library <= extras


def test_extra_all_is_every_extra_but_the_tools() -> None:
    extras = project()["project"]["optional-dependencies"]
    (everything,) = (Requirement(line) for line in extras["all"])
    assert everything.extras == set(extras) - {"all", "dev"} - ASKED_FOR


def test_package_carries_every_file_that_is_not_python() -> None:
    globs = project()["tool"]["setuptools"]["package-data"]["app"]
    carried = {path for glob in globs for path in (ROOT / "app").glob(glob)}
    others = {
        path
        for path in (ROOT / "app").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and "__pycache__" not in path.parts
    }
    assert others - carried == set()


def test_make_lists_its_words_and_help_comes_first() -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    shown = subprocess.run([make, "-s", "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make (\w+)", shown, re.MULTILINE)) >= WORDS
