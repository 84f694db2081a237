"""Which engines answer: one alone or none, sentiment switched off, weights that are out of reach."""

from __future__ import annotations

from pathlib import Path

from tests.process.service import running, tone, wait_until, write_script

NO_WAY_OUT = {"https_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1,localhost"}


def test_one_engine_alone_means_that_engine_or_503_before_any_work(tmp_path: Path) -> None:
    with running(tmp_path, wait_ready=False, stt_provider="whisper", **NO_WAY_OUT) as service:
        wait_until(
            lambda: service.get("/ready").json()["checks"]["engines"]["stt"]["state"] == "unavailable",
            "the first look at the engines",
        )
        ready = service.get("/ready")
        assert ready.status_code == 503
        check = ready.json()["checks"]["engines"]["stt"]
        assert "out of reach" in check["reason"]
        assert "fetch-models" in check["fix"]
        answer = service.transcribe(tone(), call_id="CALL-1")
        assert (answer.status_code, answer.json()["code"]) == (503, "stt_unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert service.stored_files() == []
        assert service.get("/calls/CALL-1").status_code == 404
        assert service.get("/health").status_code == 200


def test_the_next_engine_answers_and_says_why(tmp_path: Path) -> None:
    write_script(tmp_path)
    with running(tmp_path, stt_provider="whisper,scripted", **NO_WAY_OUT) as service:
        body = service.transcribe(tone()).json()
        assert body["engines"]["stt"] == "scripted"
        assert body["degraded"] is True
        assert "whisper:base is not usable" in body["warnings"][0]["message"]


def test_sentiment_can_be_switched_off(tmp_path: Path) -> None:
    write_script(tmp_path)
    with running(tmp_path, sentiment_enabled="false") as service:
        body = service.transcribe(tone()).json()
        assert [(s["sentiment"], s["sentiment_score"]) for s in body["segments"]] == [(None, None)]
        assert "sentiment" not in body["engines"]
        assert body["status"] == "completed"
        assert "sentiment" not in service.get("/ready").json()["checks"]["engines"]


def test_a_failing_recogniser_fails_the_call_with_its_stage(tmp_path: Path) -> None:
    write_script(tmp_path, faults=[{"do": "raise", "message": "secret detail"}])
    with running(tmp_path) as service:
        answer = service.transcribe(tone(), call_id="CALL-1")
        assert (answer.status_code, answer.json()["code"]) == (500, "stt_failed")
        assert (answer.json()["call_id"], answer.json()["stage"]) == ("CALL-1", "transcribe")
        assert "secret" not in answer.text
        left = service.get("/calls/CALL-1").json()
        assert (left["status"], left["error"]["code"]) == ("failed", "stt_failed")
