"""A file whose lock says that its process lives, met by a sweep at every point of its life."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.storage.locked_file import abandoned, locked
from app.storage.scratch import Scratch


def test_what_is_locked_is_left_alone_and_what_was_let_go_is_not(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with locked(path), abandoned(path) as is_left:
        assert not is_left
    with abandoned(path) as is_left:
        assert is_left
        with abandoned(path) as is_left_for_a_second:
            assert not is_left_for_a_second
    with abandoned(tmp_path / "missing") as is_left:
        assert not is_left


def test_a_file_that_is_swept_before_it_is_locked_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()  # opened by its maker, and not locked yet
    with ThreadPoolExecutor(1) as pool:
        with abandoned(path) as is_left:
            assert is_left
            making = pool.submit(locked, path)
            path.unlink()
        with making.result(), abandoned(path) as is_left:
            assert path.exists()
            assert not is_left


def test_folders_made_while_others_sweep_stay(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "scratch")
    (tmp_path / "scratch").mkdir()

    def work(_: int) -> bool:
        with scratch.folder() as folder:
            return folder.exists()

    with ThreadPoolExecutor(2) as workers, ThreadPoolExecutor(2) as sweepers:
        made = workers.map(work, range(500))
        swept = sweepers.map(lambda _: scratch.sweep(), range(500))
        assert all(made)
        assert len(list(swept)) == 500
    assert list(scratch.root.iterdir()) == []
