"""Work that is stopped, and work that is done again: nothing is lost of what was there."""

from __future__ import annotations

import httpx

from tests.process.service import Service, tone, write_script

HANGING = [{"do": "sleep", "seconds": 600}]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_client_that_waits_for_a_call_that_is_cancelled_is_told(plain: Service) -> None:
    from tests.process.test_crashes import in_background

    write_script(plain.folder, faults=HANGING)
    answers: list[httpx.Response] = []
    waiting = in_background(lambda: answers.append(plain.transcribe(tone(), call_id="CALL-1")))
    plain.wait_for_stage("CALL-1")
    assert plain.post("/calls/CALL-1/cancel").status_code == 200
    waiting.join(60)
    assert code(answers[0]) == (409, "call_cancelled")
    # At once again, while the first work may not have noticed: it is another one.
    write_script(plain.folder)
    answer = plain.transcribe(tone(), call_id="CALL-1")
    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    assert code(plain.post("/calls/nobody/cancel")) == (404, "call_not_found")


def test_what_cannot_be_done_again_is_refused(plain: Service) -> None:
    assert code(plain.post("/calls/nobody/rerun")) == (404, "call_not_found")
    plain.transcribe(tone()[:44], call_id="CALL-1")
    assert code(plain.post("/calls/CALL-1/rerun")) == (409, "audio_gone")
    for body in ({"from": "decode"}, {"start": "broken"}, []):
        assert code(plain.post("/calls/CALL-1/rerun", json=body)) == (422, "validation_error")
