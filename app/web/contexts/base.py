"""What every context is."""

from __future__ import annotations

from dataclasses import Field
from typing import Any, ClassVar, Protocol


class Context(Protocol):
    """A frozen dataclass. Its fields are all the names that its template knows beside globals."""

    template: ClassVar[str]
    """File name under `templates/`."""
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
