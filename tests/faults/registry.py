"""Every row of the fault table, in its order."""

from __future__ import annotations

from tests.faults.cancelling import CANCELLED_CALL
from tests.faults.crowds import FULL_QUEUE
from tests.faults.database import DATABASE_AWAY, MANY_WRITERS
from tests.faults.deafness import DEAF_WORKER
from tests.faults.health import HEALTH, STOPPING
from tests.faults.idempotency import ANOTHER_BODY, NO_ANSWER_HEARD, SAME_AT_ONCE, SAME_AUDIO
from tests.faults.long_calls import LONG_CALL
from tests.faults.progress import HANDED_IN, PROGRESS
from tests.faults.results import FAILED_RERUN, FAILED_STAGE
from tests.faults.rows import Row

ROWS: tuple[Row, ...] = (
    DATABASE_AWAY,
    FAILED_STAGE,
    FAILED_RERUN,
    CANCELLED_CALL,
    FULL_QUEUE,
    MANY_WRITERS,
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
