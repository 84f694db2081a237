"""A read replica of the database: its connections, and whether it is fit to answer now."""

from __future__ import annotations

import logging
import threading
import time

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.exceptions import DatabaseUnavailable
from app.db.engine import make_replica_engine
from app.db.fair_gate import FairGate

log = logging.getLogger(__name__)

RETRY_S = 10.0
"""After a failure: how long the primary answers before the replica is asked again."""
CHECK_S = 5.0
MOST_LAG_S = 60.0
"""Beyond it the replica's answers are too old to be shown. A long report may hold replay up for 30 s
(PostgreSQL's `max_standby_streaming_delay`)."""

# All that was received is replayed and the stream flows: nothing is missing, however old the last write is.
_LAG_S = text(
    "SELECT CASE WHEN NOT pg_is_in_recovery() OR (pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()"
    " AND EXISTS (SELECT FROM pg_stat_wal_receiver)) THEN 0"
    " ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END"
)


class Replica:
    """Thread-safe; nothing connects before first use.

    After a failure one caller in ``RETRY_S`` tries again; no other waits for a host that does not answer.
    """

    def __init__(self, settings: Settings, url: str) -> None:
        """Raises ConfigurationError when the address or its driver cannot be used."""
        self.engine = make_replica_engine(settings, url)
        self.gate = FairGate(settings.db_pool_size + settings.db_max_overflow)
        self._lock = threading.Lock()
        self._problem: str | None = None
        self._try_again_at = 0.0
        self._check_at = 0.0

    @property
    def problem(self) -> str | None:
        """Why it does not answer at present."""
        return self._problem

    def may_answer(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if self._problem is not None and now < self._try_again_at:
                return False
            self._try_again_at = now + RETRY_S
            return True

    def check(self, session: Session) -> None:
        """Look now and then how far it is behind. Raises DatabaseUnavailable when that is too far."""
        now = time.monotonic()
        if self._problem is None and now < self._check_at:
            return
        lag_s = session.execute(_LAG_S).scalar()
        if lag_s is None or lag_s > MOST_LAG_S:
            behind = "by an unknown time" if lag_s is None else f"by {lag_s:.0f} s"
            raise DatabaseUnavailable(f"the replica is behind {behind}")
        self._check_at = now + CHECK_S

    def answered(self) -> None:
        with self._lock:
            was, self._problem = self._problem, None
        if was is not None:
            log.info("database.replica_back")

    def failed(self, reason: str) -> None:
        with self._lock:
            was, self._problem = self._problem, reason
            self._try_again_at = time.monotonic() + RETRY_S
        if was is None:
            log.warning("database.replica_away", extra={"detail": reason})
