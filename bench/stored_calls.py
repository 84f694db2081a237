"""Calls as a database holds them: analyses of ten minutes of talk, and as many copies as are wanted."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import chain, cycle
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.db.figure_models import CallFigureRow
from app.db.migrate import migrate
from app.db.models import Base, CallRow, MomentRow, ResultRow, SegmentRow, table_of
from app.db.repositories.results import ResultRepository
from app.db.search_models import OverviewRow, SearchTextRow
from app.db.session import Database
from app.schemas.analysis import Analysis, CallStatus
from app.schemas.conversation import Conversation
from app.schemas.sentiment import Sentiment, SentimentLabel
from app.schemas.speaker import Role, RoleSource, Speaker
from app.schemas.transcript import Segment, Word
from app.services.alignment_service import with_roles
from app.services.annotation_service import annotate
from app.services.coachable_service import CoachableService
from app.services.metrics_service import measure
from tests.db.databases import opened, postgres_url, sqlite_url
from tests.db.values import stored
from tests.services.roles.scripts import read_scripts

DURATION_S = 600.0
WORD_S, PAUSE_S = 0.36, 0.5
SPEAKERS = (
    Speaker("speaker_0", Role.AGENT, 1.0, RoleSource.CHANNEL, channel=0),
    Speaker("speaker_1", Role.CUSTOMER, 1.0, RoleSource.CHANNEL, channel=1),
)
TEMPLATES = 50
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
APART_S = 20
"""Between two calls: 4,320 a day."""


class TenMinuteCalls:
    """Analyses of calls that consist of the scripts of `tests/services/roles/calls`, one after the other.

    Moments and metrics are what the service finds in them. ``duration_s`` makes them longer or shorter.
    """

    def __init__(self, duration_s: float = DURATION_S) -> None:
        self._duration_s = duration_s
        self._coachable = CoachableService(Settings(_env_file=None))
        self._turns = [
            ({"A": "speaker_0", "C": "speaker_1"}[who], said)
            for name in ("before", "between", "after")
            for script in read_scripts(name)
            for who, said in script.turns
        ]

    def make(self, number: int) -> Analysis:
        chance = random.Random(number)
        spoken = tuple(self._segments(number, chance))
        conversation = Conversation(
            duration_s=self._duration_s,
            segments=with_roles(spoken, SPEAKERS),
            sentiments=tuple(_feeling(chance) for _ in spoken),
            speakers=SPEAKERS,
            loudness=(tuple(round(chance.gauss(-26, 6), 1) for _ in range(int(self._duration_s))),),
            language="en",
        )
        metrics = measure(conversation)
        moments = self._coachable.find(f"T{number}", conversation.segments, "en", metrics)
        segments, call_moments = annotate(conversation, moments, self._coachable.judge)
        return Analysis(
            duration_s=self._duration_s,
            language="en",
            language_confidence=0.98,
            segments=segments,
            engines={"stt": "faster_whisper:base", "sentiment": "lexicon:vader", "diarization": "channel"},
            degraded=False,
            playbook=self._coachable.playbook_name,
            playbook_revision=self._coachable.playbook_revision,
            speakers=SPEAKERS,
            metrics=metrics,
            call_moments=call_moments,
            loudness=conversation.loudness,
        )

    def _segments(self, number: int, chance: random.Random) -> Iterator[Segment]:
        at = number * 37 % len(self._turns)
        now_s = 1.0
        for index, (speaker, said) in enumerate(cycle(chain(self._turns[at:], self._turns[:at]))):
            words = said.split()
            if now_s + WORD_S * len(words) > self._duration_s:
                return
            starts = [round(now_s + WORD_S * place, 3) for place in range(len(words))]
            yield Segment(
                index,
                speaker,
                tuple(
                    Word(word, start, round(start + WORD_S * 0.9, 3), round(chance.uniform(0.5, 1), 4))
                    for word, start in zip(words, starts, strict=True)
                ),
            )
            now_s = starts[-1] + WORD_S + PAUSE_S


def _feeling(chance: random.Random) -> Sentiment:
    scores = sorted(chance.random() for _ in range(2))
    shares = (scores[0], scores[1] - scores[0], 1 - scores[1])
    label, score = max(zip(SentimentLabel, shares, strict=True), key=lambda pair: pair[1])
    return Sentiment(label, score, *shares)


def store(database: Database, call_id: str, number: int, analysis: Analysis) -> None:
    """A finished call, by way of the repositories."""
    stored(
        database,
        call_id,
        number,
        agent_id=f"agent-{number % 20}",
        team_id=f"team-{number % 4}",
        started_at=None,
        customer_id=f"customer-{number}",
        webhook_url=None,
    )
    with database.session() as session:
        ResultRepository(session).add(call_id, analysis, FIRST)
        calls = table_of(CallRow)
        session.execute(
            calls.update()
            .where(calls.c.call_id == call_id)
            .values(
                status=CallStatus.COMPLETED,
                duration_s=analysis.duration_s,
                completed_at=calls.c.updated_at,
                queue=None,
            )
        )


def fill(database: Database, calls: int, *, searchable: bool = False) -> None:
    """``calls`` finished calls, ``APART_S`` apart, copied within the database from ``TEMPLATES`` of them.

    Words, segments and metrics are left out, as no list looks at them: with 100,000 calls they would be
    160 million rows and 6 GB. What is left of a result is as long as a page all the same (its loudness).
    With ``searchable`` they have segments and can be found by their words, the call n by "ticketn" too.
    """
    made = TenMinuteCalls()
    for number in range(1, TEMPLATES + 1):
        store(database, f"template-{number:04}", number, made.make(number))
    with database.session() as session:
        _copy(session, calls // TEMPLATES, sqlite=database.is_sqlite, searchable=searchable)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if database.is_sqlite else "VACUUM ANALYZE"))


@contextmanager
def filled(calls: int, *, searchable: bool = False) -> Iterator[dict[str, str]]:
    """The addresses of two databases that are filled so, by the names of their kinds."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        urls = {"PostgreSQL": stack.enter_context(postgres_url()), "SQLite": sqlite_url(folder)}
        for url in urls.values():
            with opened(url) as database:
                migrate(database)
                fill(database, calls, searchable=searchable)
        yield urls


def _copy(session: Session, times: int, *, sqlite: bool, searchable: bool) -> None:
    """Copy k of the template n becomes the call n + ``TEMPLATES`` * k: neighbours in a list differ."""
    number = f"(template.id + {TEMPLATES} * copy.k)"
    created_at = (
        f"strftime('%Y-%m-%d %H:%M:%S', '{FIRST:%F %T}', '+' || ({APART_S} * {number}) || ' seconds')"
        " || '.000000'"
        if sqlite
        else f"TIMESTAMPTZ '{FIRST.isoformat()}' + {APART_S} * {number} * INTERVAL '1 second'"
    )
    call_id = f"'call-' || (10000000 + {number})"
    owned = {"call_id": call_id, "created_at": created_at}
    calls = {**owned, "updated_at": created_at, "completed_at": created_at, "current_result_id": "NULL"}
    words = {"result_id": number, "words": f"source.words || ' ticket' || {number} || ' '"}
    under = "source.result_id = template.id"
    copies: list[tuple[type[Base], dict[str, str], str]] = [
        (CallRow, calls, "source.call_id = template.call_id"),
        (ResultRow, {**owned, "id": number, "metrics": "NULL"}, "source.id = template.id"),
        (OverviewRow, {"result_id": number}, under),
        (MomentRow, {"result_id": number, "segment": "NULL"}, under),
        (CallFigureRow, {"call_id": call_id, "result_id": number, "held_at": created_at}, under),
    ]
    if searchable:
        copies += [
            (SegmentRow, {"result_id": number, "reading": "NULL"}, under),
            (SearchTextRow, words, under),
        ]
    for row, values, link in copies:
        session.execute(text(_insert(row, values, link)), {"times": times})
    # Set at last, as calls and results refer to each other.
    session.execute(
        text(
            "UPDATE calls SET current_result_id ="
            " (SELECT id FROM results WHERE results.call_id = calls.call_id) WHERE current_result_id IS NULL"
        )
    )


def _insert(row: type[Base], values: dict[str, str], link: str) -> str:
    table = table_of(row)
    columns = [f'"{column.name}"' for column in table.columns]
    copied = [values.get(column.name, f'source."{column.name}"') for column in table.columns]
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)})"
        " WITH RECURSIVE copy(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM copy WHERE k < :times - 1)"
        f" SELECT {', '.join(copied)} FROM copy, results AS template, {table.name} AS source"
        f" WHERE template.id <= {TEMPLATES} AND {link}"
    )
