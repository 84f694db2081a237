"""What all parts of a playbook share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Nothing unknown in it, and it never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)
