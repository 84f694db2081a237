"""The lock that lets waiters in by the order in which they came."""

from __future__ import annotations

import threading

import pytest

from app.db.fair_lock import FairLock


def _queue_up(lock: FairLock, name: int, order: list[int], waiting: int) -> threading.Thread:
    """Start a thread that waits for the lock; returns once it stands in the queue."""

    def take() -> None:
        assert lock.acquire(30)
        order.append(name)
        lock.release()

    thread = threading.Thread(target=take)
    thread.start()
    while len(lock._waiting) < waiting:
        threading.Event().wait(0.001)
    return thread


def test_first_come_first_served() -> None:
    lock, order = FairLock(), list[int]()
    assert lock.acquire(1)
    threads = [_queue_up(lock, name, order, waiting=name + 1) for name in range(10)]
    lock.release()
    for thread in threads:
        thread.join()
    assert order == list(range(10))
    assert lock.acquire(0)


def test_a_waiter_that_gave_up_is_passed_over() -> None:
    lock, order = FairLock(), list[int]()
    assert lock.acquire(1)
    assert not lock.acquire(0.01)
    thread = _queue_up(lock, 1, order, waiting=1)
    lock.release()
    thread.join()
    assert order == [1]
    assert lock.acquire(0)


@pytest.mark.parametrize("handed_over", [False, True])
def test_an_interrupted_waiter_leaves_the_lock_usable(
    monkeypatch: pytest.MonkeyPatch, handed_over: bool
) -> None:
    lock = FairLock()
    assert lock.acquire(1)

    def interrupted(_event: threading.Event, timeout: float | None = None) -> bool:
        if handed_over:
            lock.release()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Event, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            lock.acquire(1)
    if not handed_over:
        lock.release()
    assert lock.acquire(0)
