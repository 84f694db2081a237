"""The engine that asks a server: what it sends, what it makes of answers, and what it does without one."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from app.core.exceptions import EngineUnavailable, StageFailed
from app.schemas.engine import EngineState
from app.schemas.transcript import Transcript
from app.services.engine_chain import EngineChain
from app.services.stt.base import SttRequest
from app.services.stt.openai_api import OpenaiApiEngine
from app.services.stt.openai_api_client import LARGEST_ANSWER
from app.services.stt_service import SttService
from tests.services.stt.audio_api_server import (
    HEARD,
    SAID,
    AudioApi,
    Reply,
    answer,
    audio_api,
    failure,
    self_signed,
)
from tests.services.stt.makers import Samples, closed_network, closed_port, request_for, silence, window_of
from tests.settings import make_settings

KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between attempts, and no proxy."""
    monkeypatch.setattr(OpenaiApiEngine, "pauses_s", (0.0, 0.01, 0.02))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def make_engine(base: str | None, **settings: Any) -> OpenaiApiEngine:
    given = {"stt_api_key": SecretStr(KEY), "stt_api_timeout_s": 20.0, **settings}
    return OpenaiApiEngine(make_settings(Path("unused"), stt_api_base=base, **given))


def noise(seconds: float, seed: int = 0) -> Samples:
    """Made of the values that 16 bits can hold."""
    values = np.random.default_rng(seed).integers(-20_000, 20_000, round(seconds * 16_000))
    return (values / 32768.0).astype(np.float32)


def hear(*replies: Reply, language: str | None = None, seconds: float = 3.0, **settings: Any) -> Transcript:
    with audio_api(*replies) as api:
        return make_engine(api.base, **settings).transcribe(request_for(noise(seconds), language=language))


def refusal(
    *replies: Reply, certificate: Path | None = None, **settings: Any
) -> tuple[StageFailed, AudioApi]:
    with audio_api(*replies, certificate=certificate) as api, pytest.raises(StageFailed) as caught:
        make_engine(api.base, **settings).transcribe(request_for(noise(1)))
    return caught.value, api


def texts(heard: Transcript) -> list[str]:
    return [word.text for word in heard.words]


def test_what_is_sent() -> None:
    samples = noise(2)
    window = window_of(len(samples))
    with audio_api(answer(**HEARD)) as api:
        engine = make_engine(f"{api.base}/", stt_api_model="large-v3")
        engine.transcribe(SttRequest(samples, "de", window, ("Zürich AG", "Kröger\r\nGmbH")))
        engine.transcribe(SttRequest(samples, None, window))
    first, second = api.received
    assert first.target == "/v1/audio/transcriptions"
    assert first.headers["Authorization"] == f"Bearer {KEY}"
    assert first.fields == {
        "model": ["large-v3"],
        "response_format": ["verbose_json"],
        "timestamp_granularities[]": ["word", "segment"],
        "temperature": ["0"],
        "language": ["de"],
        "prompt": ["Zürich AG, Kröger GmbH"],
    }
    assert np.array_equal(first.samples, samples)
    assert not {"language", "prompt"} & set(second.fields)


def test_full_scale_does_not_wrap_round() -> None:
    samples = np.array([1.5, 1.0, -1.0, -1.5] * 8000, dtype=np.float32)
    with audio_api(answer(**HEARD)) as api:
        make_engine(api.base).transcribe(request_for(samples))
    assert np.allclose(api.received[0].samples, np.clip(samples, -1, 1), atol=1e-4)


def test_short_samples_are_filled_and_none_are_not_sent() -> None:
    with audio_api(answer(**HEARD)) as api:
        engine = make_engine(api.base)
        assert engine.transcribe(request_for(silence(0), language="fr")) == Transcript((), "fr")
        engine.transcribe(request_for(noise(0.05)))
    assert [len(each.samples) for each in api.received] == [16_000]


def test_without_a_key_none_is_sent() -> None:
    with audio_api(answer(**HEARD)) as api:
        make_engine(api.base, stt_api_key=None).transcribe(request_for(noise(1)))
    assert "Authorization" not in api.received[0].headers


def test_two_windows_are_mapped_to_the_recording_and_apart() -> None:
    with audio_api(answer(**HEARD), answer(text="Bye now.")) as api:
        engine = make_engine(api.base)
        service = SttService(make_settings(Path("unused")), {"openai_api": engine})
        one, two = window_of(24_000, 24_000, begins_s=10.0), window_of(32_000, begins_s=60.0)
        requests = [SttRequest(noise(3), None, one), SttRequest(noise(2, seed=1), None, two)]
        first, second = service.transcribe("openai_api", requests)
    assert texts(first) == SAID
    assert [word.start_s for word in first.words] == pytest.approx([10.1, 10.6, 10.8, 11.0, 13.2])
    assert [word.estimated for word in first.words] == [False] * 5
    assert (second.words[0].start_s, second.words[-1].end_s) == pytest.approx((60.0, 62.0))
    assert [len(each.samples) for each in api.received] == [48_000, 32_000]
    for before, after in pairwise([*first.words, *second.words]):
        assert before.end_s <= after.start_s


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
def test_a_busy_server_is_asked_again(status: int) -> None:
    with audio_api(failure(status), failure(status, Retry_After="0"), answer(**HEARD)) as api:
        heard = make_engine(api.base).transcribe(request_for(noise(1)))
    assert texts(heard) == SAID
    assert len(api.received) == 3
    assert len({each.wav for each in api.received}) == 1


@pytest.mark.parametrize(
    "broken", [Reply(hang_up=True), Reply(b'{"text": ""}', cut=True), Reply(b"220 mail\r\n", raw=True)]
)
def test_a_broken_connection_is_tried_again(broken: Reply) -> None:
    assert texts(hear(broken, broken, answer(**HEARD))) == SAID


def test_a_server_that_never_recovers_is_given_up() -> None:
    error, api = refusal(failure(500))
    assert len(api.received) == 4
    assert error.code == "stt_failed"
    assert error.detail == "openai_api:whisper-1: the server answered 500, 4 times in a row"
    error, api = refusal(Reply(hang_up=True))
    assert len(api.received) == 4
    assert "the connection failed" in error.detail


@pytest.mark.parametrize("as_date", [False, True])
def test_the_wait_that_the_server_asks_for_is_kept(as_date: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("app.services.stt.openai_api.time.sleep", slept.append)
    wanted = format_datetime(datetime.now(UTC) + timedelta(seconds=10), usegmt=True) if as_date else "10"
    assert (
        texts(hear(failure(429, Retry_After=wanted), failure(503, Retry_After="soon"), answer(**HEARD)))
        == SAID
    )
    assert slept == pytest.approx([10, 0.01], abs=3)
    assert slept[0] > 0.1


def test_a_longer_wait_than_there_is_time_is_not_begun() -> None:
    error, api = refusal(failure(429, Retry_After="3600"))
    assert len(api.received) == 1
    assert "429" in error.detail and "STT_API_TIMEOUT_S" in error.detail


@pytest.mark.parametrize("reply", [Reply(stall=True), Reply(b" " * 1000, drip=True)])
def test_a_server_that_hangs_is_left(reply: Reply) -> None:
    error, api = refusal(reply, stt_api_timeout_s=0.3)
    assert "no answer within 0.3 s (STT_API_TIMEOUT_S)" in error.detail
    assert len(api.received) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    with audio_api(answer(**HEARD)) as elsewhere:
        error, api = refusal(failure(status, Location=f"{elsewhere.base}/audio/transcriptions"))
    assert elsewhere.received == []
    assert len(api.received) == 1
    assert "redirects are not followed" in error.detail
    assert str(elsewhere.port) not in error.detail


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (401, "STT_API_KEY"), (403, "STT_API_KEY"), (404, "STT_API_MODEL"), (413, "too large"),
        (400, "request"), (204, "request"),
    ],
)  # fmt: skip
def test_a_refusal_is_final_and_says_what_to_look_at(status: int, hint: str) -> None:
    error, api = refusal(Reply(b"", status) if status == 204 else failure(status))
    assert len(api.received) == 1
    assert str(status) in error.detail and hint in error.detail


def test_an_answer_of_many_megabytes_is_refused() -> None:
    error, _ = refusal(Reply(b'{"text": "' + b"a" * LARGEST_ANSWER + b'"}'))
    assert "too large" in error.detail


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"[]", b"null", b'"text"', b"{}", b'{"text": 5}', b'{"error": {"message": "x"}}',
        b'{"text": "x", "words": "x"}', b'{"text": "x", "words": [1]}', b'{"text": "x", "words": [{}]}',
        b'{"text": "x", "segments": [{"start": "soon"}]}', b"[" * 100_000, b'{"text": "\xff"}',
        b"\x1f\x8b\x08",
    ],
)  # fmt: skip
def test_answers_that_are_no_transcripts_are_refused(body: bytes) -> None:
    error, api = refusal(Reply(body))
    assert "the server's answer is no transcript" in error.detail
    assert len(api.received) == 1


BABBLE = "the customer's card is 4111"
BAD_ENDS = {
    "words": answer(text=BABBLE, words=[{"word": BABBLE, "start": BABBLE}]),
    "key": failure(401),
    "reason": Reply(f'{{"error": "{KEY} {BABBLE}"}}'.encode(), 400),
    "redirect": failure(307, Location=f"http://elsewhere.invalid/?key={KEY}&said={BABBLE}"),
    "crash": Reply(hang_up=True),
    "busy": failure(500, Retry_After=f"{KEY} {BABBLE}"),
    "no HTTP": Reply(f"{KEY} {BABBLE}\r\n\r\n".encode(), raw=True),
    "garbage": Reply(f"{KEY} {BABBLE}".encode()),
}


@pytest.mark.parametrize("name", BAD_ENDS)
def test_neither_key_nor_words_are_told_to_anybody(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        error, api = refusal(BAD_ENDS[name])
    assert api.received[0].headers["Authorization"] == f"Bearer {KEY}"
    told = "".join(traceback.format_exception(error)) + "".join(str(each.__dict__) for each in caplog.records)
    assert KEY not in told and "4111" not in told and "customer" not in told


def test_a_key_of_impossible_characters_is_not_shown_either() -> None:
    engine = make_engine("http://127.0.0.1:9/v1", stt_api_key=SecretStr(f"{KEY}\r\nX: 1"))
    seen = engine.availability()
    assert seen.state is EngineState.UNAVAILABLE and "STT_API_KEY" in str(seen.reason)
    with pytest.raises(StageFailed) as caught:
        engine.transcribe(request_for(noise(1)))
    assert KEY not in "".join(traceback.format_exception(caught.value)) + str(seen)


def test_without_an_address_it_says_what_to_set() -> None:
    with closed_network() as tried:
        seen = make_engine(None).availability()
    assert (seen.state, seen.reason) == (EngineState.UNAVAILABLE, "STT_API_BASE names no server")
    assert "STT_API_BASE" in str(seen.fix)
    assert tried == []


def test_it_is_ready_where_the_server_listens() -> None:
    with audio_api(answer(**HEARD)) as api:
        assert make_engine(api.base).availability().state is EngineState.READY
    assert api.received == []
    seen = make_engine(f"http://127.0.0.1:{closed_port()}/v1").availability()
    assert seen.state is EngineState.UNAVAILABLE and "cannot be reached" in str(seen.reason)


@pytest.mark.parametrize("base", ["127.0.0.1:8000/v1", "http://user:pw@127.0.0.1/v1"])
def test_an_address_that_cannot_be_used_is_said_to_be_none(base: str) -> None:
    engine = make_engine(base)
    seen = engine.availability()
    assert seen.state is EngineState.UNAVAILABLE
    assert str(seen.reason).startswith("STT_API_BASE is no address to use") and seen.fix
    assert "pw" not in str(seen)
    assert engine.capabilities.sends_data_out
    with pytest.raises(StageFailed, match="STT_API_BASE"):
        engine.transcribe(request_for(noise(1)))


def test_a_certificate_that_nobody_vouches_for_ends_it(tmp_path: Path) -> None:
    error, api = refusal(answer(**HEARD), certificate=self_signed(tmp_path))
    assert "certificate" in error.detail
    assert api.received == []


class Elsewhere(OpenaiApiEngine):
    """Usable, and not on this machine."""

    def availability(self) -> Any:
        return make_engine(self.here).availability()

    here: str


@pytest.fixture
def api() -> Iterator[AudioApi]:
    with audio_api(answer(**HEARD)) as server:
        yield server


def test_no_audio_goes_out_unless_it_is_allowed(api: AudioApi) -> None:
    settings = make_settings(Path("unused"), stt_api_base="https://api.example.com/v1")
    engine = Elsewhere(settings)
    engine.here = api.base
    chain = EngineChain("stt", [engine], interval_s=3600)
    try:
        assert chain.choose(external=True).label == "openai_api:whisper-1"
        with pytest.raises(EngineUnavailable, match="ALLOW_EXTERNAL_ENGINES"):
            chain.choose(external=False)
    finally:
        chain.stop()


def test_a_server_on_this_machine_needs_no_permission(api: AudioApi) -> None:
    engine = make_engine(api.base)
    assert not engine.capabilities.sends_data_out
    chain = EngineChain("stt", [engine], interval_s=3600)
    try:
        assert chain.choose("sw", external=False).name == "openai_api"
    finally:
        chain.stop()
