"""What stands around every page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Frame:
    """The field ``frame`` of each context whose template extends `frame.html`.

    ``csrf_token`` goes into every form; it is empty where no keys are set.
    """

    path: str
    csrf_token: str
    is_signed_in: bool
