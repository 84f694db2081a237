"""Folders that appear whole, are made once and are trusted only while unharmed."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from app.services.stt.ctranslate2_folder import MANIFEST, is_intact, is_whole, make_once


def write(folder: Path) -> None:
    (folder / "model.bin").write_bytes(b"weights")
    (folder / "config.json").write_text("{}")


def must_not(folder: Path) -> None:
    raise AssertionError("made a second time")


def write_slowly_and_tell(folder: Path) -> None:
    with (folder.parent / "told").open("a") as told:
        told.write("once\n")
    time.sleep(0.3)
    write(folder)


def make_in_another_process(folder: Path) -> bool:
    make_once(folder, write_slowly_and_tell)
    return is_intact(folder)


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_it_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "base-1"
    make_once(folder, write)
    assert is_whole(folder) and is_intact(folder)
    assert visible(folder.parent) == ["base-1"]
    assert visible(folder) == ["config.json", MANIFEST, "model.bin"]
    make_once(folder, must_not)


def test_processes_wait_for_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "base-1"
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as processes:
        assert all(processes.map(make_in_another_process, [folder] * 3))
    assert (tmp_path / "told").read_text() == "once\n"


def cut_off(folder: Path) -> None:
    (folder / "model.bin").write_bytes(b"weig")


def changed(folder: Path) -> None:
    (folder / "model.bin").write_bytes(b"weighTs")


def lost(folder: Path) -> None:
    (folder / "config.json").unlink()


def not_finished(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def of_another_format(folder: Path) -> None:
    (folder / MANIFEST).write_text((folder / MANIFEST).read_text().replace('"format": 1', '"format": 0'))


def half_a_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_bytes((folder / MANIFEST).read_bytes()[:20])


@pytest.mark.parametrize("harm", [cut_off, changed, lost, not_finished, of_another_format, half_a_manifest])
def test_a_harmed_folder_is_made_anew(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    folder = tmp_path / "base-1"
    make_once(folder, write)
    harm(folder)
    assert is_whole(folder) is (harm is changed)
    assert not is_intact(folder)
    make_once(folder, write)
    assert is_intact(folder)
    assert (folder / "model.bin").read_bytes() == b"weights"


def test_what_failed_leaves_nothing_and_may_be_tried_again(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        write(folder)
        raise OSError(28, "No space left on device")

    folder = tmp_path / "base-1"
    with pytest.raises(OSError, match="No space left"):
        make_once(folder, fail)
    assert visible(tmp_path) == []
    make_once(folder, write)
    assert is_intact(folder)


def test_what_a_killed_process_left_is_no_obstacle(tmp_path: Path) -> None:
    left = tmp_path / ".base-1.part"
    left.mkdir()
    (left / "model.bin").write_bytes(b"wei")
    (left / "stray").write_bytes(b"")
    make_once(tmp_path / "base-1", write)
    assert visible(tmp_path) == ["base-1"]
    assert not (tmp_path / "base-1" / "stray").exists()
