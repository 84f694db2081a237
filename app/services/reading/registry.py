"""The readers of moments by name."""

from app.core.registry import Registry
from app.services.reading.base import ReadingEngine

READING_ENGINES: Registry[ReadingEngine] = Registry(
    "classifier of moments",
    {"embedding": "app.services.reading.embedding:EmbeddingReader"},
)
