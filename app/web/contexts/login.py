"""The login page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.web.contexts.frame import Frame


@dataclass(frozen=True)
class LoginPage:
    """``next_address``: where to afterwards. ``was_refused``: the key that was entered is none of ours.

    ``wait_minutes``: how long no further key is looked at, after too many wrong ones; 0: they are.
    """

    template: ClassVar[str] = "login.html"

    frame: Frame
    next_address: str
    was_refused: bool = False
    wait_minutes: int = 0
