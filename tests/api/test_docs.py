"""The documentation pages: everything local, nothing inline, a policy that keeps it so."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.api.docs import MEDIA_TYPES, STATIC, docs_router

PAGES = ("/docs", "/redoc")
OWN_FILES = ("api-description.js", "swagger-init.js", "redoc-init.js", "docs.css")


class Elements(HTMLParser):
    """Collects what a page loads or links to, and any script or handler written into it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self._in_script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_script = tag == "script"
        for name, value in attrs:
            if name in ("src", "href"):
                self.addresses.append(value or "")
            if name.startswith("on") or name == "style":
                self.inline.append(f"{tag} {name}")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.inline.append(data)


def make_client() -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None)
    app.include_router(docs_router())
    return TestClient(app)


def policy_of(client: TestClient, page: str) -> dict[str, str]:
    header = client.get(page).headers["content-security-policy"]
    return dict(part.strip().partition(" ")[::2] for part in header.split(";"))


@pytest.mark.parametrize("page", PAGES)
def test_page_loads_only_local_files_that_exist(page: str) -> None:
    client = make_client()
    addresses = Elements(client.get(page).text).addresses
    assert sum(address.partition("?")[0].endswith(".js") for address in addresses) == 3
    for address in addresses:
        assert not re.match(r"[a-z]+:|/", address), "relative, so that a prefix set by a proxy holds"
        answer = client.get(f"/{address}")
        assert answer.status_code == 200
        assert answer.content


@pytest.mark.parametrize("page", PAGES)
def test_page_has_nothing_inline_and_names_no_other_host(page: str) -> None:
    answer = make_client().get(page)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert Elements(answer.text).inline == []
    assert not re.search(r"https?://|//[a-z]", answer.text)


@pytest.mark.parametrize("page", PAGES)
def test_policy_lets_scripts_and_requests_reach_this_service_only(page: str) -> None:
    client = make_client()
    policy = policy_of(client, page)
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert policy["frame-ancestors"] == "'none'"
    assert client.get(page).headers["x-content-type-options"] == "nosniff"


def test_only_redoc_may_start_a_worker() -> None:
    client = make_client()
    assert "worker-src" not in policy_of(client, "/docs")
    assert policy_of(client, "/redoc")["worker-src"] == "blob:"


@pytest.mark.parametrize("name", sorted(MEDIA_TYPES))
def test_asset_is_served_with_its_type_and_may_be_kept(name: str) -> None:
    answer = make_client().get(f"/static/docs/{name}")
    assert answer.headers["content-type"] == MEDIA_TYPES[name]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.content == (STATIC / name).read_bytes()


@pytest.mark.parametrize("name", ["README.md", "nothing.js", "..%2fdocs.py", "%2e%2e%2f%2e%2e%2fmain.py"])
def test_no_other_file_is_served(name: str) -> None:
    assert make_client().get(f"/static/docs/{name}").status_code == 404


def test_viewers_ask_nothing_of_their_makers() -> None:
    redoc = (STATIC / "redoc.standalone.js").read_text(encoding="utf-8")
    assert "cdn.redoc" not in redoc
    assert "fonts.googleapis" not in redoc
    assert "validatorUrl: null" in (STATIC / "swagger-init.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", OWN_FILES)
def test_our_own_files_name_no_address(name: str) -> None:
    assert not re.search(r"https?:", (STATIC / name).read_text(encoding="utf-8"))


def test_pages_stay_out_of_the_api_description() -> None:
    assert make_client().get("/openapi.json").json()["paths"] == {}


def test_each_vendored_file_has_its_licence_beside_it() -> None:
    licences = {path.name for path in (STATIC / "licenses").iterdir()}
    assert {"swagger-ui.LICENSE.txt", "redoc.LICENSE.txt", "redoc.standalone.js.LICENSE.txt"} <= licences
