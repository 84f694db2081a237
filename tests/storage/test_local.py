"""Recordings in a folder: durable when committed, gone when discarded, swept when their process died."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir

import pytest

from app.core.exceptions import ConfigurationError, InsufficientStorage, StorageUnavailable
from app.storage.local import LocalStorage, LocalWriter
from app.storage.registry import open_storage
from app.storage.scratch import Scratch, working_folder
from tests.settings import make_settings


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_committed_file_is_read_back(tmp_path: Path) -> None:
    storage = LocalStorage(str(tmp_path))
    writer = storage.create()
    writer.write(b"hello ")
    writer.write(b"world")
    stored = writer.commit()
    assert (stored.size, stored.sha256) == (11, sha256(b"hello world").hexdigest())
    assert storage.exists(stored.key)
    assert [file.key for file in storage.listed()] == [stored.key]
    with storage.local_path(stored.key) as path:
        assert path.read_bytes() == b"hello world"
        assert path.stat().st_mode & 0o077 == 0


def test_delete_removes_it_and_may_be_repeated(tmp_path: Path) -> None:
    storage = LocalStorage(str(tmp_path))
    writer = storage.create()
    writer.write(b"x")
    key = writer.commit().key
    storage.delete(key)
    storage.delete(key)
    assert not storage.exists(key)
    assert files_under(tmp_path) == []
    with pytest.raises(StorageUnavailable), storage.local_path(key):
        pass


def test_a_discarded_upload_leaves_nothing(tmp_path: Path) -> None:
    storage = LocalStorage(str(tmp_path))
    writer = storage.create()
    writer.write(b"x" * 100_000)
    writer.discard()
    writer.discard()
    assert files_under(tmp_path) == []
    with pytest.raises(StorageUnavailable):
        writer.write(b"more")


@pytest.mark.parametrize("key", ["../../etc/passwd", "a" * 31, "A" * 32, "", "0" * 31 + "/"])
def test_only_its_own_keys_become_paths(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        LocalStorage(str(tmp_path)).delete(key)


def test_a_sweep_removes_what_a_killed_process_left_and_nothing_else(tmp_path: Path) -> None:
    program = (
        "import os, signal\n"
        "from app.storage.local import LocalStorage\n"
        f"writer = LocalStorage({str(tmp_path)!r}).create()\n"
        "writer.write(b'half of it')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == -9
    storage = LocalStorage(str(tmp_path))
    arriving = storage.create()
    arriving.write(b"still coming")
    assert len(files_under(tmp_path)) == 2
    assert storage.sweep() == 1
    stored = arriving.commit()
    assert [file.key for file in storage.listed()] == [stored.key]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_has_a_name_and_leaves_nothing(tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    upload.symlink_to("/dev/full")
    writer = LocalWriter(upload, tmp_path / "audio")
    with pytest.raises(InsufficientStorage):
        writer.write(b"x" * 10_000_000)
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_check_names_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    LocalStorage(str(tmp_path / "new")).check()
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(StorageUnavailable):
        LocalStorage(str(blocked / "below")).check()


def test_an_unknown_scheme_lists_the_known_ones(tmp_path: Path) -> None:
    settings = make_settings(tmp_path).model_copy(update={"storage_url": "ftp://x/y"})
    with pytest.raises(ConfigurationError, match="file, s3"):
        open_storage(settings)


def test_working_copies_lie_beside_local_recordings_or_where_they_are_told_to(tmp_path: Path) -> None:
    assert working_folder(make_settings(tmp_path)) == tmp_path / "data"
    assert working_folder(make_settings(tmp_path, work_dir=tmp_path / "work")) == tmp_path / "work"
    assert working_folder(make_settings(tmp_path, storage_url="s3://bucket")).is_relative_to(gettempdir())


def test_scratch_folders_are_private_and_go_away(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    with scratch.folder() as folder:
        (folder / "a").write_text("x")
        assert folder.stat().st_mode & 0o077 == 0
        assert Scratch(tmp_path).sweep() == 0
        assert folder.exists()
    assert list(tmp_path.iterdir()) == []


def test_scratch_of_a_killed_process_is_swept(tmp_path: Path) -> None:
    program = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from app.storage.scratch import Scratch\n"
        f"with Scratch(Path({str(tmp_path)!r})).folder() as folder:\n"
        "    (folder / 'pcm').write_bytes(b'x')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=False, cwd=Path(__file__).parents[2])
    assert len(list(tmp_path.iterdir())) == 1
    assert Scratch(tmp_path).sweep() == 1
    assert list(tmp_path.iterdir()) == []
