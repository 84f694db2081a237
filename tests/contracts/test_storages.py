"""Every place where recordings are kept, held to the same contract."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from app.core.exceptions import StorageUnavailable
from app.storage.base import Storage
from app.storage.registry import STORAGES, open_storage
from tests.settings import make_settings
from tests.storage.s3_server import s3_server

ROOT = Path(__file__).parents[2]
MB = 2**20
NEVER_STORED = "0123456789abcdef0123456789abcdef"


@pytest.fixture(params=STORAGES.names())
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings of an empty storage of each kind."""
    if request.param == "s3":
        with s3_server(tmp_path / "s3") as server:
            yield {**server.settings, "work_dir": str(tmp_path / "work")}
    else:
        yield {"storage_url": f"file://{tmp_path}/recordings"}


@pytest.fixture
def storage(place: dict[str, str], tmp_path: Path) -> Storage:
    return open_storage(make_settings(tmp_path, **place))


def put(storage: Storage, *chunks: bytes) -> str:
    writer = storage.create()
    for chunk in chunks:
        writer.write(chunk)
    return writer.commit().key


def keys(storage: Storage, after: str = "") -> list[str]:
    return [file.key for file in storage.listed(after)]


def local_files(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.rglob("*") if path.is_file() and "s3" not in path.parts]


@pytest.mark.parametrize("size", [0, 1, 5 * MB - 1, 5 * MB, 5 * MB + 1, 12 * MB])
def test_what_goes_in_comes_out(storage: Storage, size: int) -> None:
    whole = os.urandom(size)
    writer = storage.create()
    for start in range(0, size, 300_000):
        writer.write(whole[start : start + 300_000])
    stored = writer.commit()
    assert (stored.size, stored.sha256) == (size, sha256(whole).hexdigest())
    with storage.local_path(stored.key) as path:
        assert path.read_bytes() == whole
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("first", "count"),
    [(0, None), (0, 1), (0, 2), (5, 0), (700_000, None), (299_999, 300_002), (999_999, 1), (999_000, 5000)],
)
def test_a_part_of_it_is_read_without_the_rest(storage: Storage, first: int, count: int | None) -> None:
    whole = os.urandom(1_000_000)
    wanted = whole[first:] if count is None else whole[first : first + count]
    assert b"".join(storage.read(put(storage, whole), first, count)) == wanted


def test_all_of_nothing_is_read(storage: Storage) -> None:
    assert b"".join(storage.read(put(storage))) == b""


def test_what_is_not_there_cannot_be_read(storage: Storage) -> None:
    with pytest.raises(StorageUnavailable, match="missing"):
        storage.read(NEVER_STORED, 0, 2)


def test_one_chunk_may_be_larger_than_any_part(storage: Storage) -> None:
    whole = os.urandom(17 * MB)
    with storage.local_path(put(storage, whole)) as path:
        assert path.read_bytes() == whole


def test_a_file_is_there_when_committed_and_not_before(storage: Storage) -> None:
    writer = storage.create()
    writer.write(b"x" * 6 * MB)
    assert keys(storage) == []
    key = writer.key
    stored = writer.commit()
    assert keys(storage) == [stored.key] == [key]
    assert storage.exists(stored.key)
    assert not storage.exists(NEVER_STORED)


def test_a_discarded_upload_leaves_nothing(storage: Storage) -> None:
    for size in (0, 1000, 6 * MB):
        writer = storage.create()
        writer.write(b"x" * size)
        writer.discard()
        writer.discard()
        with pytest.raises(StorageUnavailable):
            writer.write(b"more")
        with pytest.raises(StorageUnavailable):
            writer.commit()
    assert keys(storage) == []


def test_discard_after_commit_is_harmless(storage: Storage) -> None:
    writer = storage.create()
    writer.write(b"x")
    key = writer.commit().key
    writer.discard()
    assert storage.exists(key)


def test_delete_removes_it_and_may_be_repeated(storage: Storage) -> None:
    key, other = put(storage, b"x"), put(storage, b"y")
    storage.delete(key)
    storage.delete(key)
    assert not storage.exists(key)
    assert keys(storage) == [other]
    with pytest.raises(StorageUnavailable, match="missing"), storage.local_path(key):
        pass


@pytest.mark.parametrize("key", ["../../etc/passwd", "a" * 31, "A" * 32, "", "0" * 31 + "/", "0" * 32 + "\n"])
def test_only_its_own_keys_become_names(storage: Storage, key: str) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        storage.delete(key)
    with pytest.raises(ValueError, match="not a storage key"):
        storage.exists(key)
    with pytest.raises(ValueError, match="not a storage key"), storage.local_path(key):
        pass


def test_a_listing_is_in_order_and_goes_on_after_any_key(storage: Storage) -> None:
    began = datetime.now(UTC) - timedelta(seconds=2)
    stored = sorted(put(storage, b"x") for _ in range(20))
    listed = list(storage.listed())
    assert [file.key for file in listed] == stored
    assert all(began <= file.stored_at <= datetime.now(UTC) + timedelta(seconds=2) for file in listed)
    assert keys(storage, stored[7]) == stored[8:]
    assert keys(storage, stored[-1]) == []
    between = stored[3][:-1] + ("0" if stored[3][-1] != "0" else "1")
    assert keys(storage, between) == [key for key in stored if key > between]


def test_a_copy_goes_away_also_when_its_reader_fails(storage: Storage, tmp_path: Path) -> None:
    key = put(storage, b"x" * 1000)
    before = local_files(tmp_path)
    with pytest.raises(RuntimeError), storage.local_path(key):
        raise RuntimeError("the decoder broke")
    assert local_files(tmp_path) == before


def test_many_may_write_and_read_at_once(storage: Storage) -> None:
    def round_trip(number: int) -> bool:
        whole = bytes([number]) * 100_000
        key = put(storage, whole)
        with storage.local_path(key) as path:
            return path.read_bytes() == whole

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(round_trip, range(32)))
    assert len(keys(storage)) == 32


def test_a_killed_process_leaves_no_file_and_a_sweep_spares_what_arrives(
    storage: Storage, place: dict[str, str], tmp_path: Path
) -> None:
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from app.storage.registry import open_storage\n"
        "from tests.settings import make_settings\n"
        f"writer = open_storage(make_settings(Path({str(tmp_path)!r}), **{place!r})).create()\n"
        "writer.write(b'half of it' * 700_000)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    arriving = storage.create()
    arriving.write(b"still coming" * 700_000)
    storage.sweep()
    assert keys(storage) == []
    assert keys(storage) == [] and storage.exists(arriving.commit().key)


def test_a_check_passes_where_files_can_be_kept_and_leaves_none(storage: Storage) -> None:
    storage.check()
    assert keys(storage) == []
