"""What every context is, and what many of them hold."""

from __future__ import annotations

from dataclasses import Field, dataclass
from typing import Any, ClassVar, Protocol


class Context(Protocol):
    """A frozen dataclass. Its fields are all the names that its template knows beside globals."""

    template: ClassVar[str]
    """File name under `templates/`."""
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


class Question(Context, Protocol):
    """A form that is a page of its own, or for a script the content of a dialog."""

    dialog: ClassVar[str]
    """File name of the latter."""


@dataclass(frozen=True)
class Choice:
    value: str
    label: str
    is_chosen: bool
