"""Every row of the fault table, in its order."""

from __future__ import annotations

from tests.faults.brokers import ALL_KILLED, BROKER_AWAY, CONNECTIONS_CUT, DIED_BEFORE_RING
from tests.faults.engines import MEMORY_LIMIT, POISON, SOAK
from tests.faults.leases import FROZEN_WORKER, REDELIVERED
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
    DIED_BEFORE_RING,
    RANDOM_KILLS,
    SOAK,
    ALL_KILLED,
)
