"""Hears the broker's rings: a Celery worker in a thread of its own, whose one task takes no time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from app.core.config import Settings
from app.schemas.call import Queue
from app.workers.celery_app import TASK, broker_name, make_celery, queue_of

log = logging.getLogger(__name__)

RETRY_S = 1
LONGEST_RETRY_S = 5
PASS_ON_S = 0.02
STOP_S = 1.0


class Listener:
    """Hears rings in the queues that ``listen_to`` names, and in no others, so that a process without room
    leaves them to one that has some. Thread-safe.

    ``on_ring`` is told the queue of each ring, and answers whether it is of use here; one that is not goes
    back to the broker. ``on_connection`` is told whether rings can come at all; after a lost connection it
    is tried again every few seconds, for ever.
    """

    def __init__(
        self,
        settings: Settings,
        queues: Sequence[Queue],
        *,
        on_ring: Callable[[Queue], bool],
        on_connection: Callable[[bool], None],
    ) -> None:
        """Raises ConfigurationError when Celery is missing."""
        self._settings = settings
        self._queues = tuple(queues)
        self._on_ring = on_ring
        self._on_connection = on_connection
        self._wanted = frozenset[Queue]()
        self._celery = make_celery(settings)
        self._consumer: Any = None
        self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)

    @property
    def is_alive(self) -> bool:
        """False when it has ended by itself, which it should not."""
        return self._thread.is_alive()

    @property
    def is_connected(self) -> bool:
        return self._consumer is not None

    def start(self) -> None:
        self._thread.start()

    def retire(self) -> None:
        """Hear nothing any more."""
        from celery.worker import state

        state.should_stop = 0
        consumer = self._consumer
        if consumer is not None:
            consumer.call_soon(_wake)

    def stop(self) -> None:
        self.retire()
        self._thread.join(STOP_S)

    def listen_to(self, queues: frozenset[Queue]) -> None:
        """From now on, hear rings of these queues alone."""
        if queues == self._wanted:
            return
        self._wanted = queues
        consumer = self._consumer
        if consumer is not None:
            consumer.call_soon(self._follow, consumer)

    def _listen(self) -> None:
        from celery.worker import state

        state.should_stop = None
        self._celery.set_current()  # in this thread, which is where its tasks run
        self._celery.task(_ring, name=TASK, acks_late=True, shared=False)
        self._celery.steps["consumer"].add(_step_of(self))
        controller = self._celery.WorkController(
            pool_cls="solo",
            concurrency=1,
            queues=[broker_name(self._settings, queue) for queue in self._queues],
            consumer_cls=_consumer_class(self),
            without_mingle=True,
            without_gossip=True,
            without_heartbeat=True,
        )
        controller.start()

    def heard(self, name: str) -> bool:
        """Told of each ring as it comes, in the listener's thread; whether it is of use."""
        return self._on_ring(queue_of(self._settings, name))

    def _follow(self, consumer: Any) -> None:
        """Make the broker send what is wanted; in the listener's thread."""
        tasks = consumer.task_consumer
        if consumer is not self._consumer or tasks is None:
            return
        for queue in self._queues:
            name = broker_name(self._settings, queue)
            if queue not in self._wanted:
                tasks.cancel_by_queue(name)
            elif not tasks.consuming_from(name):
                tasks.add_queue(consumer.app.amqp.queues[name])
                tasks.consume()

    def connected(self, consumer: Any) -> None:
        """Told by Celery, in the listener's thread, whenever there is a connection.

        It begins to consume by itself, and only then knows what to do with a ring: one that waits at the
        broker must not come sooner.
        """
        self._consumer = consumer
        for queue in self._queues:
            if queue not in self._wanted:
                consumer.task_consumer.cancel_by_queue(broker_name(self._settings, queue))
        log.info("broker.connected")
        self._on_connection(True)

    def disconnected(self) -> None:
        """Told by Celery, in the listener's thread, whenever there is none any more."""
        self._consumer = None
        self._on_connection(False)


def _ring(call_id: str) -> None:
    """What a ring that was of use does. It is acknowledged afterwards."""
    log.debug("ring", extra={"call_id": call_id})


def _step_of(listener: Listener) -> type:
    """A step of Celery's consumer that comes after it has a connection and before it hears anything."""
    from celery import bootsteps

    class Ears(bootsteps.StartStopStep):  # type: ignore[misc]
        requires = ("celery.worker.consumer.tasks:Tasks",)

        def start(self, consumer: Any) -> None:
            listener.connected(consumer)

        def stop(self, consumer: Any) -> None:  # noqa: ARG002 - the port's names
            listener.disconnected()

    return Ears


def _consumer_class(listener: Listener) -> type:
    """Celery's own, but it does not wait longer and longer between two attempts to reach the broker, and an
    acknowledgement that fails is a lost connection. Celery only logs it, and asks Redis for nothing more
    until it is given: a worker that is cut off at that moment would be deaf for ever (seen with kombu 5.7).

    A ring that is of no use here goes back before Celery makes a task of it. A task would have to raise
    Reject, and Celery ties each such error, with its traceback and every frame below it, into a ring that
    only Python's rarest collection finds: some 70 KB a call (seen with Celery 5.6).
    """
    from celery.worker import state
    from celery.worker.consumer import Consumer

    class Careful(Consumer):  # type: ignore[misc]
        def create_task_handler(self) -> Callable[[Any], None]:
            handle = super().create_task_handler()

            def hear(message: Any) -> None:
                if not listener.heard(message.delivery_info["routing_key"]):
                    time.sleep(PASS_ON_S)  # it may well come back here until the broker knows better
                    self.call_soon(message.reject, True)
                    return
                message.ack_log_error = lambda *_: message.ack()
                message.reject_log_error = lambda _, __, requeue=False: message.reject(requeue=requeue)
                handle(message)

            return hear

        def ensure_connected(self, connection: Any) -> Any:
            return connection.ensure_connection(
                _tell_once(),
                interval_start=RETRY_S,
                interval_step=RETRY_S,
                interval_max=LONGEST_RETRY_S,
                callback=state.maybe_shutdown,
            )

    return Careful


def _wake() -> None:
    """A loop that is given something to do sees that it is to end."""


def _tell_once() -> Callable[[Exception, float], None]:
    told = threading.Event()

    def tell(error: Exception, _interval: float) -> None:
        if not told.is_set():
            log.warning("broker.not_reached", extra={"error": type(error).__name__})
        told.set()

    return tell
