"""Celery, as the doorbell: a queue of rings for each queue of calls. The calls are in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.config import Settings
from app.core.exceptions import ConfigurationError
from app.schemas.call import ALL_QUEUES, Queue

if TYPE_CHECKING:
    from celery import Celery

TASK = "work"
CONNECT_S = 3
HEARTBEAT_S = 10
"""Seconds between signs of life on a connection (AMQP), or without any before one is asked for (Redis)."""


def make_celery(settings: Settings) -> Celery:
    """The application that rings and listens. Connects to nothing yet.

    Messages are JSON, no result is kept, and what Celery would do about lost work is left undone: that is the
    database's part. Raises ConfigurationError when Celery or the broker's library is missing.
    """
    try:
        from celery import Celery
        from kombu import Exchange
        from kombu import Queue as BrokerQueue

        if settings.queue_url.startswith("redis"):
            import redis  # noqa: F401 - so that it is missed at the start
    except ImportError as error:
        raise ConfigurationError(f"QUEUE_URL needs {error.name}: pip install 'darwix-ai[queue]'") from None

    app = Celery("darwix", set_as_current=False)
    names = [broker_name(settings, queue) for queue in ALL_QUEUES]
    app.conf.update(
        broker_url=settings.queue_url,
        broker_connection_timeout=CONNECT_S,
        broker_connection_retry_on_startup=True,
        broker_heartbeat=HEARTBEAT_S,
        broker_transport_options=_transport_options(settings),
        task_queues=[BrokerQueue(name, Exchange(""), routing_key=name) for name in names],
        task_default_queue=names[0],
        task_create_missing_queues=False,
        task_default_delivery_mode="transient",
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        result_backend=None,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=True,
    )
    return app


def broker_name(settings: Settings, queue: Queue) -> str:
    """What a queue is called at the broker."""
    return f"{settings.queue_prefix}.{queue}"


def queue_of(settings: Settings, name: str) -> Queue:
    """The queue that is called so at the broker."""
    return Queue(name.removeprefix(f"{settings.queue_prefix}."))


def _transport_options(settings: Settings) -> dict[str, Any]:
    if settings.queue_url.startswith("redis"):
        return {
            "global_keyprefix": f"{settings.queue_prefix}:",
            "socket_connect_timeout": CONNECT_S,
            "socket_keepalive": True,
            "health_check_interval": HEARTBEAT_S,
        }
    return {"confirm_publish": True, "read_timeout": HEARTBEAT_S, "write_timeout": HEARTBEAT_S}
