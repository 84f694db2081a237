"""Which ffmpeg is used, and that it says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.exceptions import ConfigurationError
from app.services.audio.ffmpeg import Ffmpeg, find_ffmpeg, guarded_input
from tests.services.audio.recordings import ffmpeg


def make_program(path: Path, said: str) -> Path:
    path.write_text(f"#!/bin/sh\necho '{said}'\n")
    path.chmod(0o700)
    return path


def test_the_configured_one_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    make_program(folder / "ffmpeg", "ffmpeg version system")
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    mine = make_program(tmp_path / "mine", "ffmpeg version mine-1")

    assert Ffmpeg(find_ffmpeg(mine)).version() == "mine-1"
    assert Ffmpeg(find_ffmpeg(None)).version() == "system"


def test_the_bundled_one_where_the_system_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    program = find_ffmpeg(None)

    assert "imageio_ffmpeg" in program.parts
    assert Ffmpeg(program).version()


def test_a_configured_one_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="FFMPEG_PATH"):
        find_ffmpeg(tmp_path / "missing")


def test_a_program_that_is_no_ffmpeg(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no ffmpeg"):
        Ffmpeg(make_program(tmp_path / "other", "hello")).version()
    with pytest.raises(ConfigurationError, match="does not run"):
        Ffmpeg(tmp_path / "missing").version()


def test_names_that_a_version_does_not_know_do_no_harm(tmp_path: Path) -> None:
    assert ffmpeg().version()
    assert "-format_whitelist" in guarded_input("a", ("wav", "of_the_future"))
