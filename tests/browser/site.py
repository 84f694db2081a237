"""A service with calls in it: made-up ones stored directly, the demo call by scripted engines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from app.core.config import Settings
from app.db.migrate import migrate
from app.db.models import CallRow, table_of
from app.db.repositories.calls import CallRepository
from app.db.repositories.results import ResultRepository
from app.db.repositories.waveforms import WaveformRepository
from app.db.session import Database
from app.schemas.analysis import Analysis, CallStatus
from app.schemas.call import CallOptions, NewCall
from app.schemas.waveform import Peaks
from app.services.audio_service import AudioService
from app.storage.local import LocalStorage
from bench.stored_calls import TenMinuteCalls
from tests.db.values import new_call
from tests.process.service import Service, running, tone
from tests.samples.test_demo_call import CALL as DEMO_FILE
from tests.samples.test_demo_call import TURNS, stretches
from tests.settings import make_settings
from tests.web.test_calls_page import FAILURE

TWO_HOURS_S = 7200.0
STEP_S = 0.1


class Site:
    """The service of these tests, and its database beside it."""

    def __init__(self, service: Service, database: Database) -> None:
        self.service = service
        self.database = database
        self.url = service.url
        self._stored = 0

    @cached_property
    def ten_minutes(self) -> tuple[Analysis, ...]:
        made = TenMinuteCalls()
        return tuple(made.make(number) for number in range(4))

    def add(self, call_id: str, analysis: Analysis | None = None, **row: Any) -> str:
        """A finished call without a recording, newer than those before; ``row``: what is to differ in it."""
        self._stored += 1
        number = self._stored
        result = analysis or self.ten_minutes[number % len(self.ten_minutes)]
        known = {
            "agent_id": f"agent-{number % 5}",
            "team_id": f"team-{number % 2}",
            "customer_id": f"customer-{number}",
        }
        given = {name: row.pop(name) for name in (*known, "metadata") if name in row}
        new = new_call(call_id, **{**known, "started_at": None, "metadata": {}, **given})
        ended = {"status": CallStatus.COMPLETED, "duration_s": result.duration_s, "audio_key": None}
        self._insert(new, {**ended, **row}, result)
        return call_id

    def add_two_hours(self, call_id: str) -> str:
        return self.add(call_id, TenMinuteCalls(TWO_HOURS_S).make(7))

    def add_failed(self, call_id: str) -> str:
        """A call whose engine gave up. Its recording is there, so that it can be tried again."""
        self._stored += 1
        writer = LocalStorage(str(self.service.folder / "data")).create()
        writer.write(tone(seconds=3))
        file = writer.commit()
        new = new_call(call_id, audio_key=file.key, audio_sha256=file.sha256, audio_bytes=file.size)
        self._insert(replace(new, options=CallOptions(language="en")), dict(FAILURE))
        return call_id

    def _insert(self, new: NewCall, row: dict[str, Any], result: Analysis | None = None) -> None:
        """At once, so that no worker of the service takes it for one that waits."""
        came = datetime.now(UTC)
        calls = table_of(CallRow)
        with self.database.session() as session:
            assert CallRepository(session).insert(replace(new, webhook_url=None), came)
            if result is not None:
                ResultRepository(session).add(new.call_id, result, came)
                WaveformRepository(session).put(new.call_id, _peaks(result))
            values = {"queue": None, "completed_at": came, **row}
            session.execute(calls.update().where(calls.c.call_id == new.call_id).values(**values))


def _peaks(analysis: Analysis) -> Peaks:
    """As loud as the words are: each party in a channel of its own."""
    steps = round(analysis.duration_s / STEP_S)
    channels = [bytearray(steps) for _ in analysis.speakers]
    for part in analysis.segments:
        channel = channels[int(part.segment.speaker.removeprefix("speaker_"))]
        for word in part.segment.words:
            for step in range(int(word.start_s / STEP_S), min(int(word.end_s / STEP_S), steps)):
                channel[step] = 90 + step * 37 % 60
    return Peaks(STEP_S, tuple(map(bytes, channels)))


@contextmanager
def served(folder: Path, **settings: str) -> Iterator[Site]:
    """An empty service on ``folder``, whose speech engine hears the words of the demo call at their times."""
    _write_words(folder)
    with running(folder, **{"diarization_provider": "channel,pauses", **settings}) as service:
        database = Database(Settings(_env_file=None, database_url=f"sqlite:///{folder}/calls.db"))
        migrate(database)
        try:
            yield Site(service, database)
        finally:
            database.dispose()


def _write_words(folder: Path) -> None:
    work = folder / "decoded"
    work.mkdir()
    samples = AudioService(make_settings(folder)).decode(DEMO_FILE, work).read()
    words: list[dict[str, Any]] = []
    for turn, span in zip(TURNS, stretches(samples), strict=True):
        said = turn["text"].split()
        step = span.length_s / len(said)
        for at, word in enumerate(said):
            start = span.start_s + step * at
            words.append({"text": word, "start": round(start, 3), "end": round(start + step * 0.95, 3)})
        words[-1]["ends_segment"] = True
    (folder / "transcript.json").write_text(json.dumps({"language": "en", "words": words}))
