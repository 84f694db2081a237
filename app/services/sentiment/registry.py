"""The sentiment engines by name."""

from app.core.registry import Registry
from app.services.sentiment.base import SentimentEngine

SENTIMENT_ENGINES: Registry[SentimentEngine] = Registry(
    "sentiment engine",
    {
        "transformer": "app.services.sentiment.transformer:TransformerEngine",
        "embedding": "app.services.sentiment.embedding:EmbeddingEngine",
        "lexicon": "app.services.sentiment.lexicon:LexiconEngine",
        "multilingual": "app.services.sentiment.multilingual:MultilingualEngine",
    },
)
