"""Engines and backends by name: an explicit table, imported on first use."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Generic, TypeVar, cast

from app.core.exceptions import ConfigurationError

T = TypeVar("T")


class Registry(Generic[T]):
    """Maps a name to the class that implements it, given as ``"package.module:Class"``.

    The name is also the setting's value, the file's name and the extra in pyproject.toml.
    """

    def __init__(self, kind: str, entries: Mapping[str, str]) -> None:
        self.kind = kind
        self._entries = dict(entries)

    def names(self) -> tuple[str, ...]:
        return tuple(self._entries)

    def load(self, name: str) -> type[T]:
        """Return the class for ``name``. Raises ConfigurationError with the known names."""
        target = self._entries.get(name)
        if target is None:
            raise ConfigurationError(f"unknown {self.kind} {name!r}; known: {', '.join(self._entries)}")
        module, _, attribute = target.partition(":")
        return cast("type[T]", getattr(import_module(module), attribute))

    def create(self, name: str, *args: Any, **kwargs: Any) -> T:
        return self.load(name)(*args, **kwargs)


class Instances(Generic[T]):
    """One instance of each registered class, made on first use or ``given`` by name. Thread-safe."""

    def __init__(self, registry: Registry[T], settings: object, given: Mapping[str, T] | None = None) -> None:
        self._registry = registry
        self._settings = settings
        self._made = dict(given or {})
        self._lock = threading.Lock()

    def get(self, name: str) -> T:
        """Raises ConfigurationError for an unknown name."""
        with self._lock:
            if name not in self._made:
                self._made[name] = self._registry.create(name, self._settings)
            return self._made[name]


def missing_module(*modules: str) -> str | None:
    """Return the first of ``modules`` that is not installed, without importing any."""
    return next((module for module in modules if find_spec(module) is None), None)


def install_hint(extra: str) -> str:
    """The command that installs an optional engine."""
    return f'pip install "darwix-ai[{extra}]"'
