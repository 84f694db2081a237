"""Corrected words judged anew: only those for which nothing holds any more."""

from __future__ import annotations

from app.schemas.correction import Draft, Judged
from app.schemas.engine import EngineChoice
from app.schemas.heard import Heard
from app.schemas.sentiment import Sentiment
from app.schemas.transcript import Transcript
from app.schemas.utterance import Utterance
from app.services.utterances import utterances_of
from app.workers.engines import SentimentRun
from app.workers.pipeline import Stages, degraded, judge_sentiment, read
from app.workers.progress import Progress


def rejudge(draft: Draft, stages: Stages, progress: Progress) -> Judged:
    """Sentiments and readings of the whole draft; all of them anew where another engine judges today.

    Trouble in a stage becomes a warning. Raises EngineUnavailable where nobody judges sentiment.
    """
    conversation = draft.conversation
    utterances = utterances_of(conversation.segments)
    length_s, language = conversation.duration_s, conversation.language
    heard = Heard(length_s, False, Transcript((), language), {}, readings=conversation.readings)
    readings, reader = read(utterances, heard, stages, progress)
    judge = stages.engines.judge(length_s, progress.stopped, language)
    sentiments = _sentiments(draft, utterances, judge, progress)
    judges: list[EngineChoice] = [choice for choice in (reader, judge and judge.choice) if choice]
    return Judged(
        sentiments,
        readings,
        {choice.stage: choice.label for choice in judges},
        (*progress.notices, *(degraded(choice) for choice in judges if choice.degraded)),
        tuple(progress.failed_stages),
    )


def _sentiments(
    draft: Draft, utterances: tuple[Utterance, ...], judge: SentimentRun | None, progress: Progress
) -> tuple[Sentiment | None, ...]:
    is_the_same = judge is not None and judge.choice.label == draft.engines.get("sentiment")
    places = draft.unjudged if is_the_same else range(len(utterances))
    made = judge_sentiment(tuple(utterances[place] for place in places), judge, progress)
    sentiments = list(draft.conversation.sentiments)
    for place, sentiment in zip(places, made, strict=True):
        sentiments[place] = sentiment
    return tuple(sentiments)
