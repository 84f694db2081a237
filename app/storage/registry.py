"""The storage backends by the scheme of STORAGE_URL."""

from app.core.registry import Registry
from app.storage.base import Storage

STORAGES: Registry[Storage] = Registry("storage", {"file": "app.storage.local:LocalStorage"})


def open_storage(url: str) -> Storage:
    """The storage that ``url`` names. Raises ConfigurationError for an unknown scheme."""
    scheme, _, location = url.partition("://")
    return STORAGES.create(scheme, location)
