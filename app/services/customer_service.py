"""Everything that is kept of one customer's calls: removed, or handed over."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from app.db.repositories.customers import CustomerRepository
from app.db.session import Database
from app.schemas.retention import CustomerDeletion
from app.services.customer_archive import CustomerArchive
from app.storage.removals import RemovalKeeper

log = logging.getLogger(__name__)

DELETED_AT_A_TIME = 20
"""Calls in one transaction: thousands of words each, while others wait to write."""


class CustomerService:
    """Thread-safe."""

    def __init__(
        self, database: Database, storage: RemovalKeeper, *, forget_elsewhere: Callable[[str], None]
    ) -> None:
        """``forget_elsewhere`` removes what others keep of a call that was deleted; it raises nothing."""
        self._database = database
        self._storage = storage
        self._forget_elsewhere = forget_elsewhere

    def delete(self, customer_id: str) -> CustomerDeletion:
        """Remove all calls of the customer but those under legal hold, in whatever state they are.

        Raises DatabaseUnavailable and StorageUnavailable; asked again, it goes on with what is left.
        """
        deleted = 0
        while removed := self._delete_some(customer_id):
            deleted += removed
        with self._database.snapshot() as session:
            held = CustomerRepository(session).held(customer_id)
        log.info("customer.deleted", extra={"calls": deleted, "held": held})
        return CustomerDeletion(customer_id, deleted, held)

    def export(self, customer_id: str) -> Iterator[bytes]:
        """A zip archive of all calls of the customer, bit by bit, as ``CustomerArchive`` lays it out.

        Raises DatabaseUnavailable before the first bit; trouble after that breaks the archive off.
        """
        return CustomerArchive(self._database, self._storage, customer_id).written()

    def _delete_some(self, customer_id: str) -> int:
        with self._database.session() as session:
            removed = CustomerRepository(session).delete(customer_id, DELETED_AT_A_TIME)
        for call in removed:
            self._forget_elsewhere(call.record.call_id)
        self._storage.delete_all([key for call in removed for key in call.file_keys])
        return len(removed)
