"""The reader in the engine process: moments that no rule finds, sentiment of the same pass, its absence."""

from __future__ import annotations

import json
from pathlib import Path

from tests.process.service import running, tone, wait_until, write_script
from tests.services.reading.miniature import write_reader

SAID = "the price is terrible and you find me a zero"
NO_WAY_OUT = {"https_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1,localhost"}
EMBEDDED = {
    "sentiment_provider": "transformer,embedding,lexicon",
    "coachable_classifier": "embedding",
    **NO_WAY_OUT,
}


def test_moments_and_sentiment_of_a_trained_reader(tmp_path: Path) -> None:
    write_script(tmp_path, SAID)
    folder = str(write_reader(tmp_path / "reader"))
    with running(tmp_path, coachable_model_dir=folder, **EMBEDDED) as service:
        checks = service.get("/ready").json()["checks"]["engines"]
        for stage in ("reading", "sentiment"):
            assert (checks[stage]["engine"], checks[stage]["degraded"]) == ("embedding:mini-1", False)
        assert "sentiment_multilingual" not in checks
        body = service.transcribe(tone(), call_id="READ").json()
        assert body["engines"]["reading"] == body["engines"]["sentiment"] == "embedding:mini-1"
        assert not [notice for notice in body["warnings"] if notice["stage"] in ("reading", "sentiment")]
        [segment] = body["segments"]
        [moment] = [each for each in segment["moments"] if each["source"] == "classifier"]
        assert (moment["type"], moment["subtype"], moment["rule"]) == ("objection", "price", "embedding")
        evidence = moment["evidence"]
        assert evidence["text"] == segment["text"][evidence["start_char"] : evidence["end_char"]]
        assert "zero" in evidence["text"] != segment["text"]
        assert moment["why"]
        assert moment["tip"]
        assert segment["coachable_type"] == "objection"
        assert segment["sentiment"] == "NEGATIVE"
        assert 0.9 < segment["sentiment_score"] < 1
        assert service.get("/calls/READ").json()["segments"] == body["segments"]

        sidecar = json.loads((tmp_path / "transcript.json").read_text())
        spanish = {**sidecar, "language": "es", "text": "la verdad es que me parece muy caro para nosotros"}
        (tmp_path / "transcript.json").write_text(json.dumps(spanish))
        body = service.transcribe(tone(pitch=500.0)).json()
        [segment] = body["segments"]
        assert (segment["sentiment"], segment["sentiment_score"]) == ("NEUTRAL", None)
        assert any("classifier" in each["source"] for each in segment["moments"])
        assert ("sentiment", "unsupported_language") in {(n["stage"], n["code"]) for n in body["warnings"]}
        assert body["status"] == "completed"
        assert body["metrics"]["sentiment"]["score"] is None
        state = service.get("/ready").json()["checks"]["engines"]["sentiment_multilingual"]["state"]
        assert state == "unavailable"


def test_without_trained_files_the_rules_go_on_alone_and_everybody_is_told(tmp_path: Path) -> None:
    write_script(tmp_path)
    with running(tmp_path, coachable_model_dir=str(tmp_path / "nothing"), **EMBEDDED) as service:

        def reading() -> dict[str, object]:
            check: dict[str, object] = service.get("/ready").json()["checks"]["engines"]["reading"]
            return check

        wait_until(lambda: reading()["state"] == "unavailable", "the first look at the reader")
        assert "reader.json cannot be read" in str(reading()["reason"])
        body = service.transcribe(tone()).json()
        assert body["degraded"] is True
        assert body["engines"]["reading"] == "none"
        assert body["engines"]["sentiment"] == "lexicon:vader"
        [told] = [notice["message"] for notice in body["warnings"] if notice["stage"] == "reading"]
        assert "rules alone" in told
        assert [moment["source"] for moment in body["segments"][0]["moments"]] == ["rule"]


def test_the_classifier_can_be_switched_off(tmp_path: Path) -> None:
    write_script(tmp_path, SAID)
    with running(tmp_path, coachable_classifier="none") as service:
        body = service.transcribe(tone()).json()
        assert "reading" not in body["engines"]
        assert "reading" not in service.get("/ready").json()["checks"]["engines"]
        assert "reading" not in [notice["stage"] for notice in body["warnings"]]
