"""The gate that lets waiters in by the order in which they came."""

from __future__ import annotations

import threading

import pytest

from app.db.fair_gate import FairGate


def _queue_up(gate: FairGate, name: int, order: list[int], waiting: int) -> threading.Thread:
    """Start a thread that waits at the gate; returns once it stands in the queue."""

    def take() -> None:
        assert gate.enter(30)
        order.append(name)
        gate.leave()

    thread = threading.Thread(target=take)
    thread.start()
    while len(gate._waiting) < waiting:
        threading.Event().wait(0.001)
    return thread


def test_first_come_first_served() -> None:
    gate, order = FairGate(1), list[int]()
    assert gate.enter(1)
    threads = [_queue_up(gate, name, order, waiting=name + 1) for name in range(10)]
    gate.leave()
    for thread in threads:
        thread.join()
    assert order == list(range(10))
    assert gate.enter(0)


def test_a_waiter_that_gave_up_is_passed_over() -> None:
    gate, order = FairGate(1), list[int]()
    assert gate.enter(1)
    assert not gate.enter(0.01)
    thread = _queue_up(gate, 1, order, waiting=1)
    gate.leave()
    thread.join()
    assert order == [1]
    assert gate.enter(0)


@pytest.mark.parametrize("handed_over", [False, True])
def test_an_interrupted_waiter_leaves_the_gate_usable(
    monkeypatch: pytest.MonkeyPatch, handed_over: bool
) -> None:
    gate = FairGate(1)
    assert gate.enter(1)

    def interrupted(_event: threading.Event, timeout: float | None = None) -> bool:
        if handed_over:
            gate.leave()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Event, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            gate.enter(1)
    if not handed_over:
        gate.leave()
    assert gate.enter(0)


def test_as_many_are_inside_as_there_are_places() -> None:
    gate = FairGate(2)
    assert gate.enter(0)
    assert gate.enter(0)
    assert not gate.enter(0)
    gate.leave()
    assert gate.enter(0)
    assert not gate.enter(0)
