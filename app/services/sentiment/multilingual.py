"""Sentiment in languages other than English, by a HuggingFace text classifier of its own."""

from __future__ import annotations

from app.core.config import Settings
from app.services.sentiment.transformer import TransformerEngine


class MultilingualEngine(TransformerEngine):
    """``SENTIMENT_MODEL_MULTILINGUAL``; in all else as `transformer`, whose extra it needs."""

    name = "multilingual"

    def __init__(self, settings: Settings) -> None:
        model = settings.sentiment_model_multilingual
        super().__init__(settings.model_copy(update={"sentiment_model": model}))
