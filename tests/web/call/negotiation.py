"""A short call in which a price is too high, as its page is given it."""

from __future__ import annotations

from dataclasses import replace

from fastapi.testclient import TestClient

from app.db.models import CallRow, table_of
from app.db.repositories.results import ResultRepository
from app.schemas.analysis import Analysis, CallStatus, Notice
from app.schemas.conversation import Conversation
from app.schemas.moment import Evidence, Moment
from app.schemas.sentiment import Sentiment, SentimentLabel
from app.schemas.speaker import Role, RoleSource, Speaker
from app.services.alignment_service import with_roles
from app.services.annotation_service import annotate
from app.services.metrics_service import measure
from tests.analyses import moment_in, spoken
from tests.db.values import T0, stored
from tests.web.clients import services_of

AGENT = Speaker("speaker_0", Role.AGENT, 0.97, RoleSource.WORDS)
CUSTOMER = Speaker("speaker_1", Role.CUSTOMER, 0.97, RoleSource.WORDS)
GOOD = Sentiment(SentimentLabel.POSITIVE, 0.9, 0.9, 0.05, 0.05)
BAD = Sentiment(SentimentLabel.NEGATIVE, 0.8, 0.05, 0.15, 0.8)
PRICE = "m_price"
SILENCE = "m_silence"


def negotiation(words: str = "but that is too expensive for us", duration_s: float = 40.0) -> Analysis:
    """Four segments, a price objection in the second, ten seconds of silence before the third."""
    segments = with_roles(
        (
            spoken("how do you like our offer?", 1.0, 0, "speaker_0"),
            spoken(words, 6.0, 1, "speaker_1"),
            spoken("compared with what?", 22.0, 2, "speaker_0"),
            spoken("with what we pay today", 26.0, 4, "speaker_1"),
        ),
        (AGENT, CUSTOMER),
    )
    conversation = Conversation(
        duration_s, segments, (GOOD, BAD, None, GOOD), (AGENT, CUSTOMER), language="en"
    )
    metrics = measure(conversation)
    evidence = " ".join(words.split()[3:5])
    moments = (replace(moment_in(segments[1], evidence, "objection", "price"), id=PRICE), _silence())
    parts, call_moments = annotate(conversation, moments, lambda found: (bool(found), None))
    return Analysis(
        duration_s=duration_s,
        language="en",
        language_confidence=0.9,
        segments=parts,
        engines={"stt": "scripted:x", "sentiment": "lexicon:y"},
        degraded=True,
        warnings=(Notice("stt", "degraded_engine", "no better one is at hand"),),
        playbook="default",
        playbook_revision="0123456789abcdef",
        speakers=(AGENT, CUSTOMER),
        metrics=metrics,
        call_moments=call_moments,
    )


def store_negotiation(
    client: TestClient, call_id: str, analysis: Analysis | None = None, **columns: object
) -> None:
    """A finished call, with what else is to stand in its row."""
    database = services_of(client).database
    made = analysis or negotiation()
    stored(database, call_id)
    calls = table_of(CallRow)
    values = {"status": CallStatus.COMPLETED, "queue": None, "duration_s": made.duration_s, **columns}
    with database.session() as session:
        ResultRepository(session).add(call_id, made, T0)
        session.execute(calls.update().where(calls.c.call_id == call_id).values(**values))


def _silence() -> Moment:
    nothing = Evidence("", 0, 0, 10.0, 22.0, 0, 0)
    found = moment_in(spoken("a", 0.0), "a", "dead_air")
    return replace(found, id=SILENCE, segment=None, speaker=None, role="unknown", evidence=nothing)
