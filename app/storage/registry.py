"""The storage backends by the scheme of STORAGE_URL."""

from app.core.config import Settings
from app.core.registry import Registry
from app.storage.base import Storage

STORAGES: Registry[Storage] = Registry(
    "storage",
    {
        "file": "app.storage.local:LocalStorage",
        "s3": "app.storage.s3:S3Storage",
    },
)


def open_storage(settings: Settings) -> Storage:
    """The storage that STORAGE_URL names. Raises ConfigurationError for an unknown scheme."""
    return STORAGES.load(settings.storage_url.partition("://")[0]).opened(settings)
