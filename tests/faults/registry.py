"""Every row of the fault table, in its order."""

from __future__ import annotations

from tests.faults.brokers import ALL_KILLED, BROKER_AWAY, CONNECTIONS_CUT, DIED_BEFORE_RING
from tests.faults.cancelling import CANCELLED_CALL
from tests.faults.crowds import FULL_QUEUE
from tests.faults.database import DATABASE_AWAY, MANY_WRITERS
from tests.faults.deafness import DEAF_WORKER
from tests.faults.engines import MEMORY_LIMIT, POISON, SOAK
from tests.faults.health import HEALTH, STOPPING
from tests.faults.idempotency import ANOTHER_BODY, NO_ANSWER_HEARD, SAME_AT_ONCE, SAME_AUDIO
from tests.faults.leases import FROZEN_WORKER, REDELIVERED
from tests.faults.long_calls import LONG_CALL
from tests.faults.progress import HANDED_IN, PROGRESS
from tests.faults.results import FAILED_RERUN, FAILED_STAGE
from tests.faults.rows import Row
from tests.faults.workers import KILLED_GROUP, KILLED_PROCESS, RANDOM_KILLS, STOPPED_GROUP

ROWS: tuple[Row, ...] = (
    KILLED_PROCESS,
    KILLED_GROUP,
    REDELIVERED,
    FROZEN_WORKER,
    POISON,
    MEMORY_LIMIT,
    STOPPED_GROUP,
    BROKER_AWAY,
    CONNECTIONS_CUT,
    DATABASE_AWAY,
    DIED_BEFORE_RING,
    FAILED_STAGE,
    FAILED_RERUN,
    RANDOM_KILLS,
    CANCELLED_CALL,
    FULL_QUEUE,
    SOAK,
    MANY_WRITERS,
    ALL_KILLED,
    SAME_AT_ONCE,
    ANOTHER_BODY,
    NO_ANSWER_HEARD,
    SAME_AUDIO,
    LONG_CALL,
    PROGRESS,
    HANDED_IN,
    HEALTH,
    DEAF_WORKER,
    STOPPING,
)
