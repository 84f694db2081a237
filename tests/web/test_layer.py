"""What every page answers with: its policy, its errors, its files."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.core.exceptions import DatabaseUnavailable
from app.schemas.moment import MomentType, TimedMomentType
from app.web.assets import FOLDER, MEDIA_TYPES, asset
from app.web.rendering import TEMPLATES
from tests.web.clients import SCRIPT, Elements, pages, services_of

OWN_SCRIPTS = sorted(path for path in FOLDER.glob("*.js"))


def policy_of(answer: Any) -> dict[str, str]:
    header = answer.headers["content-security-policy"]
    return dict(part.strip().partition(" ")[::2] for part in header.split(";"))


@pytest.mark.parametrize("path", ["/", "/ui/upload", "/ui/nowhere", "/?status=bad", "/ui/calls/C-1/delete"])
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(open_app: TestClient, path: str) -> None:
    answer = open_app.get(path)
    policy = policy_of(answer)
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert (policy["base-uri"], policy["frame-ancestors"]) == ("'none'", "'none'")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert Elements(answer.text).inline == []
    for tag, attributes in Elements(answer.text).found:
        for name in {"src", "href", "action", "hx-get", "hx-post"} & attributes.keys():
            assert re.match(r"/(?!/)|#", attributes[name]), (tag, attributes)


def test_htmx_may_neither_evaluate_nor_remember(open_app: TestClient) -> None:
    metas = {meta.get("name"): meta["content"] for meta in Elements(open_app.get("/").text).all("meta")[1:]}
    config = json.loads(metas["htmx-config"])
    assert config["allowEval"] is False
    assert config["includeIndicatorStyles"] is False
    assert config["selfRequestsOnly"] is True
    assert config["historyCacheSize"] == 0


def test_an_error_is_a_page_with_all_that_problem_json_says(open_app: TestClient) -> None:
    answer = open_app.get("/ui/calls/C-404/delete")
    assert answer.status_code == 404
    text = Elements(answer.text).text
    for told in ("404", "There is no such call", "There is no call C-404.", "call_not_found"):
        assert told in text
    assert answer.headers["x-request-id"] in text


def test_a_script_gets_a_notice_and_one_that_wants_json_the_problem(open_app: TestClient) -> None:
    notice = open_app.get("/ui/calls/C-404/delete", headers=SCRIPT)
    assert notice.status_code == 404
    assert "<html" not in notice.text
    assert "call_not_found" in notice.text
    problem = open_app.get("/ui/calls/C-404/delete", headers={"Accept": "application/json"})
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["code"] == "call_not_found"


def test_other_paths_keep_their_shape(open_app: TestClient) -> None:
    answer = open_app.get("/calls/C-404")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "content-security-policy" not in answer.headers
    assert open_app.get("/uix").headers["content-type"] == "application/problem+json"


def test_a_path_that_is_none_and_a_method_that_is_none(open_app: TestClient) -> None:
    assert "There is no such page" in open_app.get("/ui/nowhere").text
    answer = open_app.put("/ui/upload")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("path", ["/", "/ui/upload", "/ui/calls/C-404", asset("frame.js"), "/ui/nowhere"])
def test_head_tells_what_get_would(open_app: TestClient, path: str) -> None:
    head, whole = open_app.head(path), open_app.get(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    for name in ("content-type", "content-length", "cache-control", "content-security-policy"):
        assert head.headers.get(name) == whole.headers.get(name)


def test_a_database_that_is_away_is_a_page_too(open_app: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise DatabaseUnavailable("the database cannot be reached", retry_after_s=7)

    monkeypatch.setattr(services_of(open_app).calls, "page", away)
    answer = open_app.get("/")
    assert answer.status_code == 503
    assert "database_unavailable" in answer.text
    assert answer.headers["retry-after"] == "7"


def test_something_unforeseen_shows_nothing_but_its_request_id(
    open_app: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("SELECT secret")

    monkeypatch.setattr(services_of(open_app).calls, "page", broken)
    answer = open_app.get("/")
    assert answer.status_code == 500
    assert "SELECT" not in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert "content-security-policy" in answer.headers


def test_pages_stay_out_of_the_api_description(open_app: TestClient) -> None:
    paths = open_app.get("/openapi.json").json()["paths"]
    assert [path for path in paths if path == "/" or path.startswith("/ui")] == []


@pytest.mark.parametrize("name", ["base.css", "vendor/htmx.min.js", "icons.svg"])
def test_files_may_be_kept_for_as_long_as_they_are_the_same(keyed: TestClient, name: str) -> None:
    answer = keyed.get(asset(name))
    assert answer.status_code == 200
    assert answer.content == (FOLDER / name).read_bytes()
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"] == MEDIA_TYPES["." + name.rpartition(".")[2]]
    assert answer.headers["x-content-type-options"] == "nosniff"
    other_release = keyed.get(f"/ui/static/0123456789ab/{name}")
    assert other_release.headers["cache-control"] == "no-cache"


OTHERS = (
    "README.md",
    "licenses/htmx.LICENSE.txt",
    "nothing.js",
    "..%2flayer.py",
    "%2e%2e/%2e%2e/main.py",
    "",
)


@pytest.mark.parametrize("name", OTHERS)
def test_no_other_file_is_served(open_app: TestClient, name: str) -> None:
    assert open_app.get(f"/ui/static/0123456789ab/{name}").status_code == 404


def test_vendored_files_are_those_that_the_readme_names() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    vendored = [path for path in (FOLDER / "vendor").rglob("*") if path.is_file()]
    assert vendored
    for path in vendored:
        assert f"`vendor/{path.relative_to(FOLDER / 'vendor').as_posix()}`" in readme
        assert hashlib.sha256(path.read_bytes()).hexdigest() in readme
    for name in ("htmx", "wavesurfer"):
        assert (FOLDER / "licenses" / f"{name}.LICENSE.txt").is_file()


@pytest.mark.parametrize("path", OWN_SCRIPTS, ids=lambda path: path.name)
def test_our_own_scripts_name_no_address_and_evaluate_nothing(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?:|\beval\(|new Function|innerHTML|insertAdjacentHTML", text)


def test_templates_hold_no_other_address() -> None:
    for path in TEMPLATES.glob("*.html"):
        assert not re.search(r"https?://|=\"//", path.read_text(encoding="utf-8")), path.name


def test_a_service_without_keys_guards_its_pages_as_its_api(tmp_path: Any) -> None:
    with pages(tmp_path) as client:
        local = TestClient(client.app, base_url="http://127.0.0.1:8000")
        assert local.get("/", headers={"Host": "rebound.evil.example"}).status_code == 403
        foreign = {"Origin": "https://evil.example"}
        assert local.post("/ui/calls/C-1/delete", headers=foreign).status_code == 403


def test_each_type_of_moment_has_a_colour() -> None:
    tokens = (FOLDER / "tokens.css").read_text(encoding="utf-8")
    styles = "".join(path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.css")))
    for kind in (*MomentType, *TimedMomentType):
        assert re.search(rf"--moment-{kind}: light-dark\(#\w{{6}}, #\w{{6}}\);", tokens)
        assert f".moment--{kind} {{" in styles
