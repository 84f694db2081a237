"""The HTTP vocabulary of customers, as OpenAPI shows it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.requests import PartyId
from app.schemas.retention import CustomerDeletion


class CustomerQuery(BaseModel):
    """Whose calls are meant."""

    model_config = ConfigDict(extra="forbid")

    customer_id: PartyId = Field(examples=["cust-42"])


class CustomerDeletionModel(BaseModel):
    """What became of the calls of a customer."""

    customer_id: str = Field(examples=["cust-42"])
    deleted: int = Field(description="Calls that are gone, with everything that was kept of them.")
    held: int = Field(description="Calls that stay, under legal hold.")

    @classmethod
    def of(cls, deletion: CustomerDeletion) -> CustomerDeletionModel:
        return cls(customer_id=deletion.customer_id, deleted=deletion.deleted, held=deletion.held)
