"""Kinds of values that several groups of settings use."""

from __future__ import annotations

import os
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_settings import NoDecode


def split_names(value: object) -> object:
    """``a, b`` as ``("a", "b")``; anything but a string as it is."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


NameList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_names)]


def available_cores() -> int:
    """Cores that this process may run on (a container's or taskset's share counts)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
