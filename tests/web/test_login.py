"""Who sees pages where keys are set, and what may be changed from them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from pydantic import SecretStr

from app.api.middleware import PAGES
from app.core.door import Door
from app.core.guesses import LIMIT, WINDOW_S
from app.core.sessions import COOKIE, LASTS_S, Sessions
from app.web.addresses import LOGIN, is_page
from app.web.pages import ROUTERS
from tests.core.clocks import Clock
from tests.web.clients import KEY, SCRIPT, Elements, pages, services_of, signed_in, token_of

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def cookie_header(client: TestClient, base_url: str = "http://localhost") -> str:
    answer = client.post(f"{base_url}/ui/login", data={"key": KEY, "next": "/ui/upload"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/upload")
    return answer.headers["set-cookie"]


def test_a_page_leads_to_the_login_and_back(keyed: TestClient) -> None:
    answer = keyed.get("/?status=failed&q=too dear")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/ui/login?next=/%3Fstatus%3Dfailed%26q%3Dtoo%2520dear"
    form = keyed.get(answer.headers["location"])
    assert 'value="/?status=failed&amp;q=too%20dear"' in form.text


def test_a_script_is_led_there_too_and_back_to_the_page_that_it_is_on(keyed: TestClient) -> None:
    shown = {**SCRIPT, "HX-Current-URL": "http://localhost/?status=failed"}
    answer = keyed.get("/ui/calls/C-1/line", headers=shown)
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/ui/login?next=/%3Fstatus%3Dfailed"
    assert answer.text == ""


def test_an_address_that_is_none_leads_a_script_to_the_calls(keyed: TestClient) -> None:
    answer = keyed.get("/ui/calls/C-1/line", headers={**SCRIPT, "HX-Current-URL": "http://["})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/ui/login?next=/")


def test_a_change_is_not_done_after_the_login(keyed: TestClient) -> None:
    answer = keyed.post("/ui/calls/C-1/delete", data={"next": "/ui/upload"})
    assert answer.headers["location"] == "/ui/login?next=/"
    came_from = {"Referer": "http://testserver/ui/calls/C-1?x=1"}
    answer = keyed.post("/ui/calls/C-1/delete", data={"next": "/ui/upload"}, headers=came_from)
    assert answer.headers["location"] == "/ui/login?next=/ui/calls/C-1%3Fx%3D1"


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_browser_that_opens_the_documentation_is_led_to_the_login(keyed: TestClient, path: str) -> None:
    answer = keyed.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/ui/login?next={path}")
    for accept in ("*/*", "application/json"):
        answer = keyed.get(path, headers={"Accept": accept})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_a_known_key_signs_in_and_out(keyed: TestClient) -> None:
    token = signed_in(keyed)
    page = keyed.get("/")
    assert page.status_code == 200
    assert "Sign out" in page.text
    assert keyed.get("/calls").status_code == 200
    answer = keyed.post("/ui/logout", data={"csrf_token": token})
    assert answer.headers["location"] == "/ui/login"
    assert keyed.get("/").status_code == 303


def test_an_unknown_key_does_not(keyed: TestClient) -> None:
    for key in ("", "wrong", KEY.upper()):
        answer = keyed.post("/ui/login", data={"key": key})
        assert answer.status_code == 401
        assert "This key is not known here" in answer.text
        assert "set-cookie" not in answer.headers
        assert key not in answer.text or not key


def test_scripts_and_other_sites_do_not_see_the_cookie(keyed: TestClient) -> None:
    attributes = {part.strip().lower() for part in cookie_header(keyed).split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes
    assert "secure" not in attributes
    assert KEY not in cookie_header(keyed)
    assert "Secure" in cookie_header(keyed, "https://localhost")


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "https:/ui/upload",
        "javascript:alert(1)",
        "/ui/upload\r\nSet-Cookie: a=b",
        "/calls",
        "/ui/../calls/../..//evil.example",
        "/ui/login?next=/ui/login",
        "//[",
        "https://[",
        "",
    ],
)
def test_the_way_back_stays_within_the_pages(keyed: TestClient, address: str) -> None:
    answer = keyed.post("/ui/login", data={"key": KEY, "next": address})
    assert answer.status_code == 303
    location = answer.headers["location"]
    assert location == "/" or location.startswith("/ui/")
    assert "evil.example" not in location.partition("/ui/")[0]


def test_without_keys_there_is_no_login(open_app: TestClient) -> None:
    assert open_app.get("/ui/login").headers["location"] == "/"
    page = open_app.get("/")
    assert token_of(page.text) == ""
    assert "Sign out" not in page.text


def routes() -> list[tuple[str, str]]:
    """Method and path of every route of the pages."""
    found = [route for router in ROUTERS for route in router.routes]
    assert all(isinstance(route, APIRoute) for route in found)
    return [(method, route.path) for route in found for method in sorted(route.methods)]  # type: ignore[attr-defined]


def test_all_pages_are_where_the_gate_and_the_layer_look_for_them() -> None:
    assert [path for _, path in routes() if not is_page(path)] == []
    assert is_page(PAGES + "x")


def test_no_page_changes_anything_without_the_token_of_the_session(keyed: TestClient) -> None:
    token = signed_in(keyed)
    other = token[:-1] + ("A" if token[-1] != "A" else "B")
    unsafe = [route for route in routes() if route[0] in UNSAFE and route[1] != LOGIN]
    assert ("POST", "/ui/calls/{call_id}/delete") in unsafe
    for method, path in unsafe:
        address = path.replace("{", "").replace("}", "")
        for sent in (
            {},
            {"headers": {"X-CSRF-Token": other}},
            {"headers": {"X-CSRF-Token": ""}},
            {"headers": {"X-CSRF-Token": "ü".encode()}},
            {"data": {"csrf_token": other}},
            {"data": {"csrf_token": ""}},
            {"data": {"a": "1"}, "files": {"csrf_token": (None, other)}},
            {"json": {"csrf_token": token}},
            {"params": {"csrf_token": token}},
        ):
            answer = keyed.request(method, address, **sent)
            assert answer.status_code == 403, (method, path, sent)
            assert "form_token_invalid" in answer.text


def test_the_token_lets_in_by_header_field_and_part(keyed: TestClient) -> None:
    token = signed_in(keyed)
    part = {"csrf_token": (None, token), "padding": (None, "x" * 9000)}
    for sent in (
        {"headers": {"X-CSRF-Token": token}},
        {"data": {"csrf_token": token}},
        {"data": {"a": "1", "csrf_token": token, "b": "x" * 9000}},
        {"files": part},
    ):
        answer = keyed.post("/ui/calls/C-404/delete", **sent)
        assert answer.status_code == 404, sent
        assert "call_not_found" in answer.text


def test_the_cookie_changes_nothing_outside_the_pages(keyed: TestClient) -> None:
    headers = {"X-CSRF-Token": signed_in(keyed)}
    for method, path in (("DELETE", "/calls/C-1"), ("POST", "/calls"), ("PATCH", "/calls/C-1")):
        assert keyed.request(method, path, headers=headers).status_code == 401
    bearer = {"Authorization": f"Bearer {KEY}"}
    keyed.cookies.clear()
    assert keyed.delete("/calls/C-1", headers=bearer).status_code == 404
    assert keyed.post("/ui/calls/C-1/delete", headers=bearer).status_code == 404


def test_a_forged_cookie_is_none(keyed: TestClient) -> None:
    for value in ("x", "1.2.3", "9999999999.abc." + "A" * 43):
        answer = keyed.get("/", headers={"Cookie": f"{COOKIE}={value}"})
        assert answer.headers["location"] == "/ui/login?next=/"


def test_nobody_signs_in_from_another_site(keyed: TestClient) -> None:
    answer = keyed.post("/ui/login", data={"key": KEY}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[tuple[TestClient, Clock]]:
    """Nobody has guessed here yet; with the clock of its door."""
    clock = Clock()
    with pages(tmp_path, api_keys=(KEY, "another-key")) as client:
        door: Door = client.app.state.door  # type: ignore[attr-defined]
        door._wrong_keys._clock = clock
        yield client, clock


def test_after_too_many_wrong_keys_the_page_says_how_long_to_wait(fresh: tuple[TestClient, Clock]) -> None:
    client, clock = fresh
    for number in range(LIMIT):
        assert client.post("/ui/login", data={"key": f"wrong-{number}"}).status_code == 401
    clock.now += 100
    answer = client.post("/ui/login", data={"key": KEY, "next": "/ui/upload"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, str(WINDOW_S - 100))
    assert answer.headers["content-type"].startswith("text/html")
    assert "set-cookie" not in answer.headers
    page = Elements(answer.text)
    assert "Too many wrong keys came from your address. Try again in 14 minutes." in page.text
    assert "not known here" not in page.text
    key = next(field for field in page.all("input") if field.get("name") == "key")
    assert (key["aria-invalid"], key["aria-describedby"]) == ("true", "refused")
    assert [field["value"] for field in page.all("input") if field.get("name") == "next"] == ["/ui/upload"]
    clock.now += WINDOW_S - 130
    assert "Try again in 1 minute." in client.post("/ui/login", data={"key": KEY}).text
    clock.now += 30
    assert client.post("/ui/login", data={"key": KEY}).status_code == 303


def test_a_page_that_is_asked_for_with_such_a_key_says_so_too(fresh: tuple[TestClient, Clock]) -> None:
    client, _ = fresh
    for number in range(LIMIT):
        client.post("/ui/login", data={"key": f"wrong-{number}"})
    answer = client.get("/", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 429
    assert "Too many wrong keys came from this address" in Elements(answer.text).text
    assert int(answer.headers["retry-after"]) > 0


def test_who_is_signed_in_stays_so_while_others_guess(fresh: tuple[TestClient, Clock]) -> None:
    client, _ = fresh
    signed_in(client)
    for number in range(2 * LIMIT):
        client.post("/ui/login", data={"key": f"wrong-{number}"})
    assert client.get("/").status_code == 200
    signed_in(client)
    assert client.post("/ui/login", data={"key": "another-key"}).status_code == 429


def test_keys_cannot_be_tried_by_cookies_either(fresh: tuple[TestClient, Clock]) -> None:
    client, _ = fresh
    right = Sessions([SecretStr(KEY)]).open(0)
    for number in range(LIMIT):
        forged = f"9999999999.nonce-{number}.{'A' * 43}"
        assert client.get("/", headers={"Cookie": f"{COOKIE}={forged}"}).status_code == 303
    asked = client.get("/", headers={"Cookie": f"{COOKIE}={right}"})
    assert asked.headers["location"] == "/ui/login?next=/"
    signed_in(client)
    assert client.get("/", headers={"Cookie": f"{COOKIE}={right}"}).status_code == 200


def test_a_session_that_is_over_is_no_guess(fresh: tuple[TestClient, Clock]) -> None:
    client, _ = fresh
    of_yesterday = Sessions([SecretStr(KEY)], clock=lambda: time.time() - 2 * LASTS_S)
    for _ in range(2 * LIMIT):
        over = of_yesterday.open(0)
        assert client.get("/", headers={"Cookie": f"{COOKIE}={over}"}).status_code == 303
    current = Sessions([SecretStr(KEY)]).open(0)
    assert client.get("/", headers={"Cookie": f"{COOKIE}={current}"}).status_code == 200


def test_a_login_takes_no_upload(keyed: TestClient) -> None:
    limit = 2**20 + 1
    assert services_of(keyed).settings.max_upload_bytes > limit
    assert keyed.post("/ui/login", files={"key": b"x" * limit}).status_code == 413
