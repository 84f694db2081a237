"""Who is let in: by a key, or by the cookie that a key was given for. Guessing either is slowed down."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from pydantic import SecretStr

from app.core.exceptions import TooManyWrongKeys, Unauthorized
from app.core.guesses import LIMIT, MOST_SOURCES, Guesses
from app.core.security import place_of_key
from app.core.sessions import Session, Sessions

log = logging.getLogger(__name__)

FAMILIAR_S = 24 * 3600
"""How long a source that used a key stays known for it."""


class Door:
    """Compares keys, opens and finds sessions, and remembers who guessed. Thread-safe; of one process.

    A source that sent ``LIMIT`` different wrong keys within a window is not told any more whether a key is
    right: right and wrong ones are refused alike until the window is over. Only a key that came from this
    source before still lets in, so that nobody who guesses shuts out the clients that work behind the same
    address. Forged cookies are counted likewise and by themselves: whoever knows how a cookie is made can try
    a key by it, but the outdated cookies of a whole office must not keep it from signing in.
    """

    def __init__(
        self,
        keys: Sequence[SecretStr],
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._sessions = Sessions(keys, wall_clock)
        self._wrong_keys = Guesses(clock)
        self._forged = Guesses(clock)
        self._familiar = _Familiar(clock)
        self._lock = threading.Lock()

    def make_ready(self) -> None:
        """Do what takes the first session a moment; any thread but that of the event loop."""
        self._sessions.make_ready()

    def admit(self, source: str, presented: str) -> None:
        """Raises Unauthorized where ``presented`` is no key, TooManyWrongKeys where nobody looks any more."""
        self._place_of(source, presented)

    def sign_in(self, source: str, presented: str) -> str:
        """The value of a session's cookie for whoever presents a key; raises as ``admit`` does."""
        return self._sessions.open(self._place_of(source, presented))

    def session(self, source: str, cookie: str) -> Session | None:
        """The session that ``cookie`` stands for; None if it is forged or over, or is not looked at."""
        with self._lock:
            place = self._sessions.signer_of(cookie)
            is_familiar = self._familiar.has(source, place)
            if not is_familiar and self._forged.wait_s(source):
                return None
            if place is None:
                self._forged.refuse(source, cookie)
                return None
            self._familiar.add(source, place)
        return self._sessions.find(cookie)

    def _place_of(self, source: str, presented: str) -> int:
        with self._lock:
            place = place_of_key(presented, self._keys)
            is_familiar = self._familiar.has(source, place)
            wait_s = 0 if is_familiar else self._wrong_keys.wait_s(source)
            if wait_s:
                raise _too_many(wait_s)
            if place is not None:
                self._familiar.add(source, place)
                return place
            wait_s = self._wrong_keys.refuse(source, presented)
            if self._wrong_keys.wait_s(source):
                log.warning("access.guessing", extra={"source": source, "wrong_keys": LIMIT})
        if wait_s:
            raise _too_many(wait_s)
        raise Unauthorized("the key that was sent is not known here")


class _Familiar:
    """Which keys (by their place) came from which sources lately. The longest unused is forgotten first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._used_at: OrderedDict[tuple[str, int], float] = OrderedDict()

    def has(self, source: str, place: int | None) -> bool:
        used_at = self._used_at.get((source, -1 if place is None else place))
        return used_at is not None and used_at + FAMILIAR_S > self._clock()

    def add(self, source: str, place: int) -> None:
        self._used_at[source, place] = self._clock()
        self._used_at.move_to_end((source, place))
        if len(self._used_at) > MOST_SOURCES:
            self._used_at.popitem(last=False)


def _too_many(wait_s: int) -> TooManyWrongKeys:
    detail = "too many wrong keys came from this address; no further one is tried until Retry-After is over"
    return TooManyWrongKeys(detail, retry_after_s=wait_s)
