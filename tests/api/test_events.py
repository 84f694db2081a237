"""The stream of a call's progress, event by event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app.api import events
from app.api.events import follow_call
from app.core.exceptions import CallNotFound, ServiceStopping, StageFailed
from app.db.migrate import migrate
from app.schemas.call import ALL_QUEUES, Claim
from app.services.bootstrap import build_services
from app.workers.runtime import Runtime
from tests.db.values import analysis, new_call
from tests.settings import make_settings


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    """Everything but those who would work on calls: the tests do that."""
    services = build_services(make_settings(tmp_path, scripted_transcript=tmp_path / "none.json"))
    migrate(services.database)
    yield Runtime(services)
    services.database.dispose()


def hand_in(runtime: Runtime, **changes: Any) -> None:
    runtime.services.calls.accept(new_call("CALL-1", audio_key=uuid4().hex, **changes))


def take(runtime: Runtime) -> Claim:
    work = runtime.services.work.take(ALL_QUEUES)
    assert work is not None
    return work.claim


class Stream:
    """The answer to one client, read piece by piece."""

    def __init__(self, pieces: AsyncIterator[str]) -> None:
        self._pieces = pieces

    async def next(self) -> str:
        return await asyncio.wait_for(anext(self._pieces), 60)

    async def progress(self) -> dict[str, Any]:
        piece = await self.next()
        assert piece.startswith("event: progress\ndata: "), piece
        assert piece.endswith("\n\n")
        data: dict[str, Any] = json.loads(piece.partition("data: ")[2])
        return data

    async def rest(self) -> list[str]:
        return [piece async for piece in self._pieces]


async def follow(runtime: Runtime) -> Stream:
    answer = await follow_call("CALL-1", runtime)
    stream = Stream(answer.body_iterator)  # type: ignore[attr-defined]
    assert await stream.next() == "retry: 3000\n\n"
    return stream


def test_percent_never_falls_also_where_a_call_is_begun_anew_unseen(runtime: Runtime) -> None:
    hand_in(runtime)
    work = runtime.services.work

    async def read() -> None:
        stream = await follow(runtime)
        assert (await stream.progress())["queue_position"] == 1
        claim = take(runtime)
        assert work.beat(claim, 40.0)
        assert (await stream.progress())["percent"] == 40
        assert work.fail(claim, StageFailed("stt", "broken"), "transcribe", drop_audio=False)
        hand_in(runtime, fingerprint="other")
        again = take(runtime)
        assert work.beat(again, 3.0)
        begun = await stream.progress()
        assert (begun["status"], begun["percent"], begun["attempts"]) == ("processing", 40, 1)
        assert work.beat(again, 41.0)
        assert (await stream.progress())["percent"] == 41
        assert work.complete(again, analysis("CALL-1"))
        (last,) = await stream.rest()
        assert last.startswith("id: last\nevent: progress\n")
        assert '"percent": 100.0' in last

    asyncio.run(read())


def test_silence_is_filled_so_that_no_proxy_gives_up(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.01)
    hand_in(runtime)

    async def read() -> None:
        stream = await follow(runtime)
        await stream.progress()
        assert [await stream.next() for _ in range(2)] == [": still here\n\n"] * 2
        runtime.services.calls.delete("CALL-1")
        *_, last = await stream.rest()
        assert last == 'id: last\nevent: deleted\ndata: {"call_id": "CALL-1"}\n\n'

    asyncio.run(read())


def test_a_service_that_stops_ends_its_streams_and_begins_none(runtime: Runtime) -> None:
    hand_in(runtime)

    async def read() -> None:
        stream = await follow(runtime)
        await stream.progress()
        runtime.retire()
        assert await stream.rest() == []
        with pytest.raises(ServiceStopping):
            await follow(runtime)

    asyncio.run(read())


def test_a_call_that_is_not_there_is_no_stream(runtime: Runtime) -> None:
    with pytest.raises(CallNotFound):
        asyncio.run(follow(runtime))
