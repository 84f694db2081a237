"""What could not be removed is removed later."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.exceptions import StorageUnavailable
from app.storage import removals
from app.storage.local import LocalStorage
from app.storage.removals import RemovalKeeper
from tests.settings import make_settings


class Stubborn(LocalStorage):
    """A real folder that refuses to remove while it is ``away``; counts how often it was asked."""

    away = False
    asked = 0

    def delete(self, key: str) -> None:
        self.asked += 1
        if self.away:
            raise StorageUnavailable("the disk is away")
        super().delete(key)


@pytest.fixture
def stubborn(tmp_path: Path) -> Stubborn:
    return Stubborn(str(tmp_path))


@pytest.fixture
def keeper(stubborn: Stubborn) -> RemovalKeeper:
    return RemovalKeeper(stubborn)


def put(storage: RemovalKeeper) -> str:
    writer = storage.create()
    writer.write(b"sound")
    return writer.commit().key


def test_it_is_the_storage_that_it_stands_for(keeper: RemovalKeeper, tmp_path: Path) -> None:
    key = put(keeper)
    keeper.check()
    with keeper.local_path(key) as path:
        assert path.read_bytes() == b"sound"
    assert keeper.exists(key)
    assert [file.key for file in keeper.listed()] == [key]
    keeper.delete(key)
    assert not keeper.exists(key)
    opened = RemovalKeeper.opened(make_settings(tmp_path, storage_url=f"file://{tmp_path}"))
    assert isinstance(opened.storage, LocalStorage)


def test_what_could_not_be_removed_goes_with_a_later_sweep(keeper: RemovalKeeper, stubborn: Stubborn) -> None:
    keys = [put(keeper) for _ in range(3)]
    stubborn.away = True
    with pytest.raises(StorageUnavailable):
        keeper.delete(keys[0])
    stubborn.asked = 0
    with pytest.raises(StorageUnavailable):
        keeper.delete_all(keys[1:])
    assert stubborn.asked == 1  # a storage that is away is not asked for each
    with pytest.raises(StorageUnavailable):
        keeper.sweep()
    assert all(keeper.exists(key) for key in keys)
    stubborn.away = False
    keeper.sweep()
    assert not any(keeper.exists(key) for key in keys)
    stubborn.asked = 0
    keeper.sweep()
    assert stubborn.asked == 0


def test_the_rest_goes_when_all_is_well(keeper: RemovalKeeper) -> None:
    keys = [put(keeper) for _ in range(3)]
    keeper.delete_all(keys)
    assert list(keeper.listed()) == []


def test_it_does_not_remember_without_end(
    keeper: RemovalKeeper, stubborn: Stubborn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removals, "MOST_REMEMBERED", 2)
    keys = [put(keeper) for _ in range(4)]
    stubborn.away = True
    with pytest.raises(StorageUnavailable):
        keeper.delete_all(keys)
    stubborn.away = False
    keeper.sweep()
    assert [keeper.exists(key) for key in keys] == [False, False, True, True]
