"""What clients wait for: one look at the database for all of them, again and again while anybody waits."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import Future
from contextlib import suppress

from app.core.exceptions import AppError, CallInterrupted, CallNotFound, DatabaseUnavailable, InternalError
from app.schemas.call import CallRecord
from app.services.call_service import CallService

log = logging.getLogger(__name__)

POLL_S = 0.5
"""Longest time until a change that another process made is seen."""
LEAST_PAUSE_S = 0.02
"""Between two looks, however many calls end here."""
LAST_LOOK_S = 1.0
RETRY_AFTER_S = 5

State = tuple[CallRecord, int | None]
"""A call and its place in the queue, None unless it waits."""
Waiters = dict[str, list[Future[State]]]


class CallWatch:
    """One thread and one query, however many wait for however many calls. Thread-safe."""

    def __init__(self, calls: CallService) -> None:
        self._calls = calls
        self._turn = threading.Condition()
        self._waiting: Waiters = {}
        self._looked_for: Waiters = {}
        self._waiting_for_ends = 0
        self._nudged = False
        self._stopped = False
        self._thread: threading.Thread | None = None

    def nudge(self) -> None:
        """A call has changed in this process: look now."""
        with self._turn:
            self._nudged = True
            self._turn.notify_all()

    def drain(self, grace_s: float) -> None:
        """Wait until nobody waits for the end of a call any more, ``grace_s`` at most."""
        until = time.monotonic() + grace_s
        with self._turn:
            while self._waiting_for_ends and (left_s := until - time.monotonic()) > 0:
                self._turn.wait(min(left_s, POLL_S))

    def stop(self) -> None:
        """Look once more, for those whose calls have just ended, and let all others go."""
        until = time.monotonic() + LAST_LOOK_S
        with self._turn:
            self._stopped = True
            self._turn.notify_all()
            while (self._waiting or self._looked_for) and time.monotonic() < until:
                self._turn.wait(LEAST_PAUSE_S)
            for call_id, states in (*self._waiting.items(), *self._looked_for.items()):
                _settle(states, _interrupted(call_id))

    async def next(self, call_id: str) -> State:
        """The call's state at the next look, in half a second at most.

        Raises CallNotFound, DatabaseUnavailable, and CallInterrupted when this process stops.
        """
        state: Future[State] = Future()
        with self._turn:
            if self._stopped:
                raise _interrupted(call_id)
            self._waiting.setdefault(call_id, []).append(state)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="watch", daemon=True)
                self._thread.start()
        return await asyncio.wrap_future(state)

    async def finished(self, call_id: str) -> CallRecord:
        """Wait for the call's end, wherever it is worked on, also while the database is away for a while.

        Raises CallNotFound, and CallInterrupted when this process stops before.
        """
        self._count(+1)
        try:
            while True:
                with suppress(DatabaseUnavailable):
                    record, _ = await self.next(call_id)
                    if record.status.is_final:
                        return record
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._turn:
            self._waiting_for_ends += change
            self._turn.notify_all()

    def _serve(self) -> None:
        """Look again and again until nobody has waited between two looks."""
        due_at = 0.0
        while self._begin(due_at):
            self._look()
            due_at = time.monotonic() + POLL_S
            time.sleep(LEAST_PAUSE_S)

    def _begin(self, due_at: float) -> bool:
        """Wait until the next look is due, or asked for; False when nobody waits for it."""
        with self._turn:
            while not (self._nudged or self._stopped) and (left_s := due_at - time.monotonic()) > 0:
                self._turn.wait(left_s)
            self._nudged = False
            if not self._waiting:
                self._thread = None
                return False
            self._looked_for, self._waiting = self._waiting, {}
            return True

    def _look(self) -> None:
        answers: dict[str, State | AppError] = {}
        missing: AppError | None = None
        try:
            answers.update(self._calls.states(tuple(self._looked_for)))
        except AppError as error:
            log.warning("watch.failed", extra={"code": error.code})
            missing = error
        except Exception:
            log.exception("watch.failed")
            missing = InternalError()
        with self._turn:
            for call_id, states in self._looked_for.items():
                nothing = missing or CallNotFound(f"there is no call {call_id}")
                _settle(states, answers.get(call_id, nothing))
            self._looked_for = {}
            self._turn.notify_all()


def _settle(states: list[Future[State]], answer: State | AppError) -> None:
    """Give the answer to all who have neither gone nor been answered."""
    for state in states:
        if state.done() or not state.set_running_or_notify_cancel():
            continue
        if isinstance(answer, AppError):
            state.set_exception(answer)
        else:
            state.set_result(answer)


def _interrupted(call_id: str) -> CallInterrupted:
    detail = f"call {call_id} goes on later: GET /calls/{call_id} tells of it"
    error = CallInterrupted(detail, retry_after_s=RETRY_AFTER_S)
    error.context = {"call_id": call_id}
    return error
