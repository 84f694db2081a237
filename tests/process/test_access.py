"""Keys and addresses of a running service."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.core.guesses import LIMIT
from tests.process.service import ROOT, Service, environment, running, tone, write_script


def test_with_keys_everything_but_health_needs_one(tmp_path: Path) -> None:
    write_script(tmp_path)
    with running(tmp_path, api_keys="alpha,beta") as service:
        assert service.get("/health").status_code == 200
        assert service.get("/ready").status_code == 200
        for path in ("/calls", "/docs", "/openapi.json", "/nowhere"):
            assert service.get(path).json()["code"] == "unauthorized"
        assert service.transcribe(tone()).status_code == 401
        headers = {"Authorization": "Bearer beta"}
        assert service.get("/calls", headers=headers).status_code == 200
        files = {"audio": ("a.wav", tone())}
        assert service.post("/transcribe", files=files, headers=headers).status_code == 200


@pytest.mark.parametrize(("believed", "is_secure"), [("127.0.0.0/8", True), ("10.0.0.0/8", False)])
def test_a_session_is_kept_to_https_where_a_known_proxy_says_so(
    tmp_path: Path, believed: str, is_secure: bool
) -> None:
    write_script(tmp_path)
    with running(tmp_path, api_keys="alpha", forwarded_allow_ips=believed) as service:
        answer = service.post("/ui/login", data={"key": "alpha"}, headers={"X-Forwarded-Proto": "https"})
        assert answer.status_code == 303
        assert ("Secure" in answer.headers["set-cookie"]) is is_secure


def test_guesses_count_for_the_client_that_a_known_proxy_names(tmp_path: Path) -> None:
    write_script(tmp_path)
    with running(tmp_path, api_keys="alpha", forwarded_allow_ips="127.0.0.1") as service:

        def ask(source: str, key: str) -> int:
            headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": f"192.0.2.9, {source}"}
            return service.get("/calls", headers=headers).status_code

        answers = [ask("198.51.100.1", f"wrong-{number}") for number in range(LIMIT + 1)]
        assert answers == [401] * LIMIT + [429]
        assert ask("198.51.100.1", "alpha") == 429
        assert ask("198.51.100.2", "alpha") == 200
        assert service.get("/calls", headers={"Authorization": "Bearer alpha"}).status_code == 200


def test_a_foreign_page_cannot_post_a_form(plain: Service) -> None:
    files = {"audio": ("a.wav", tone())}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = plain.post("/transcribe", files=files, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden_origin")
    assert plain.stored_files() == []


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (["--host", "0.0.0.0"], {}, "API_KEYS"),
        ([], {"max_upload_size_mb": "many"}, "MAX_UPLOAD_SIZE_MB"),
        ([], {"stt_provider": "wisper"}, "wisper"),
        ([], {"playbook": "nowhere"}, "nowhere"),
    ],
)
def test_a_start_that_must_not_be_says_why_in_one_line(
    tmp_path: Path, arguments: list[str], settings: dict[str, str], message: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "serve", "--port", "0", *arguments],
        env=environment(tmp_path, **settings),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    spoken = [line for line in done.stderr.splitlines() if not line.startswith("{")]  # the rest is the log
    assert len(spoken) == 1
    assert message in spoken[0]
