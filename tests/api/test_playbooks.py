"""Playbooks over HTTP: drafted, published, chosen for a call; hostile texts are told what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.core.exceptions import DatabaseUnavailable
from app.schemas.playbook_models import EXAMPLE_YAML
from app.services.coachable.compiled_playbook import CompiledPlaybook
from app.services.coachable.loader import MAX_BYTES, parse_playbook
from tests.api.clients import services_of, started
from tests.process.service import tone
from tests.services.playbooks import text_of

SAID = "too expensive"
AS_YAML = {"Content-Type": "application/yaml"}
LONG_EXAMPLE = "[[{role: customer, text: x, start_s: 0, end_s: inf}]]"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("service")
    with started(folder, playbook_dir=folder) as client:
        yield client


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name that no other test of this module uses."""
    return f"p{abs(hash(request.node.name))}"


def put(client: TestClient, name: str, text: str, **headers: str) -> Any:
    return client.put(f"/playbooks/{name}/draft", content=text, headers={**AS_YAML, **headers})


def publish(client: TestClient, text: str, name: str) -> str:
    revision = put(client, name, text).json()["revision"]
    answer = client.post(f"/playbooks/{name}/publish", json={"revision": revision})
    assert answer.status_code == 200, answer.text
    return str(revision)


def transcribe(client: TestClient, path: str = "/transcribe", **fields: str) -> Any:
    return client.post(path, files={"audio": ("a.wav", tone())}, data=fields)


@pytest.mark.parametrize("kind", ["yaml", "json"])
def test_from_a_draft_to_what_holds(client: TestClient, name: str, kind: str) -> None:
    text = text_of(name=name)
    if kind == "yaml":
        created = client.post("/playbooks", content=text, headers=AS_YAML)
    else:
        created = client.post("/playbooks", json={"name": name, "yaml": text})
    assert created.status_code == 201
    assert created.headers["location"] == f"/playbooks/{name}/draft"
    draft = created.json()
    assert (draft["state"], draft["rules"], draft["languages"]) == ("draft", 1, ["en"])
    assert draft["published_at"] is None
    assert client.get(f"/playbooks/{name}").json()["code"] == "playbook_revision_not_found"
    published = client.post(f"/playbooks/{name}/publish", json={"revision": draft["revision"]}).json()
    assert published["state"] == "published"
    assert published["published_at"].endswith("Z")
    shown = client.get(f"/playbooks/{name}")
    assert shown.json() == {**published, "source": "row", "yaml": text}
    assert shown.headers["vary"] == "Accept"
    listed = {item["name"]: item for item in client.get("/playbooks").json()["items"]}
    assert listed[name] == {"name": name, "source": "row", "current": published, "draft": None}
    assert client.get(f"/playbooks/{name}/revisions").json() == {"items": [{**published, "is_current": True}]}


def test_a_text_is_given_back_as_it_came(client: TestClient, name: str) -> None:
    text = f"# größe\n{text_of(name=name)}"
    written = put(client, name, text)
    asked = client.get(f"/playbooks/{name}/draft", headers={"Accept": "application/yaml"})
    assert (asked.text, asked.headers["content-type"]) == (text, "application/yaml")
    assert asked.headers["etag"] == written.headers["etag"]
    as_json = client.get(f"/playbooks/{name}/draft", headers={"Accept": "*/*"})
    assert as_json.json()["yaml"] == text
    by_revision = client.get(f"/playbooks/{name}", params={"revision": written.json()["revision"]})
    assert by_revision.json() == as_json.json()


def test_a_file_is_read_like_a_stored_one(client: TestClient) -> None:
    shown = client.get("/playbooks/default").json()
    assert (shown["source"], shown["state"], shown["created_at"]) == ("file", "published", None)
    assert parse_playbook(shown["yaml"], "x", "default").version == shown["version"]
    assert client.get("/playbooks").json()["default"] == "default"
    revisions = client.get("/playbooks/default/revisions").json()["items"]
    assert [(item["revision"], item["is_current"]) for item in revisions] == [(shown["revision"], True)]


def test_what_another_has_written_is_not_overwritten(client: TestClient, name: str) -> None:
    mine = put(client, name, text_of(name=name)).headers["etag"]
    theirs = put(client, name, text_of("theirs", name=name), **{"If-Match": mine})
    assert theirs.status_code == 200
    refused = put(client, name, text_of("lost", name=name), **{"If-Match": mine})
    assert (refused.status_code, refused.json()["code"]) == (412, "playbook_draft_changed")
    for etag in ("unquoted", '"other"'):
        dropped = client.delete(f"/playbooks/{name}/draft", headers={"If-Match": etag})
        assert dropped.status_code == 412
    kept = client.get(f"/playbooks/{name}/draft").json()
    assert kept["revision"] == theirs.json()["revision"]
    by_star = client.delete(f"/playbooks/{name}/draft", headers={"If-Match": "*"})
    assert (by_star.status_code, by_star.content) == (204, b"")
    assert client.delete(f"/playbooks/{name}/draft").json()["code"] == "playbook_draft_not_found"
    assert client.get(f"/playbooks/{name}").json()["code"] == "playbook_not_found"


def test_a_second_new_draft_is_refused(client: TestClient, name: str) -> None:
    for status in (201, 409):
        answer = client.post("/playbooks", content=text_of(name=name), headers=AS_YAML)
        assert answer.status_code == status
    assert answer.json()["code"] == "playbook_draft_exists"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: [", "2"),
        ("", "1"),
        ("a: &a [x]\nb: [*a, *a]", "2"),
        ("[" * 1_000_000, "1"),
        ("a: !!python/object/apply:os.system ['true']", "1"),
        ("name: x\nversion: \x07", "2"),
        (EXAMPLE_YAML.replace("too expensive", "too (expensive"), "12"),
        (EXAMPLE_YAML.replace('["That is too expensive for us."]', LONG_EXAMPLE), "13"),
    ],
    ids=["yaml", "empty", "aliases", "brackets", "tag", "control", "phrase", "long example"],
)
def test_a_hostile_text_is_told_what_is_wrong_with_it(client: TestClient, text: str, line: str) -> None:
    answer = client.post("/playbooks", content=text, headers=AS_YAML)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    problem = answer.json()
    assert problem["code"] == "playbook_invalid"
    assert problem["errors"][0]["line"] == line
    assert problem["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"\xff", AS_YAML, 400, "malformed_request"),
        (b"name: x", {"Content-Type": "image/png"}, 415, "unsupported_media_type"),
        (b"name: x", {}, 415, "unsupported_media_type"),
        (b"{", {"Content-Type": "application/json"}, 422, "validation_error"),
        (b'{"yaml": 3}', {"Content-Type": "application/json"}, 422, "validation_error"),
        (b'{"name": "../x", "yaml": ""}', {"Content-Type": "application/json"}, 422, "validation_error"),
        (b'{"yaml": "a: \\ud800"}', {"Content-Type": "application/json"}, 422, None),
        (b"#" * (MAX_BYTES + 1), AS_YAML, 413, "playbook_too_large"),
        (b"#" * (6 * 2**20), AS_YAML, 413, "upload_too_large"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_body_that_holds_no_playbook(
    client: TestClient, body: bytes, headers: dict[str, str], status: int, code: str | None
) -> None:
    answer = client.post("/playbooks", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert code in (None, answer.json()["code"])


@pytest.mark.parametrize(
    "path", ["/playbooks/.hidden", "/playbooks/a%2Fb/draft", "/playbooks/x%0A/revisions"]
)
def test_a_name_is_no_path(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (404, 422)


def test_publishing_tells_which_examples_do_not_hold(client: TestClient, name: str) -> None:
    wrong = text_of(name=name).replace("Nothing here.", "I want it.")
    revision = put(client, name, wrong).json()["revision"]
    answer = client.post(f"/playbooks/{name}/publish", json={"revision": revision})
    assert (answer.status_code, answer.json()["code"]) == (422, "playbook_examples_failed")
    assert answer.json()["errors"] == [
        {"field": "wants_it.no_match", "message": "rule wants_it (en) finds: I want it."}
    ]
    unknown = client.post(f"/playbooks/{name}/publish", json={"revision": "0" * 12})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "playbook_revision_not_found")


def test_a_call_asks_for_a_playbook_and_says_by_which_it_was_analysed(client: TestClient, name: str) -> None:
    revisions = []
    for number, rule_id in enumerate(("first", "second")):
        revisions.append(publish(client, text_of(rule_id, name, SAID), name))
        result = transcribe(client, playbook=name, call_id=f"{name}-{number}").json()
        assert result["playbook"] == {"name": name, "revision": revisions[-1]}
        assert [moment["rule"] for moment in result["moments"] if moment["source"] == "rule"] == [rule_id]
    default = transcribe(client, call_id=f"{name}-default").json()
    assert default["playbook"]["name"] == "default"
    kept = client.get(f"/calls/{name}-0").json()
    assert kept["playbook"] == {"name": name, "revision": revisions[0]}


def test_a_row_takes_the_place_of_the_default_file(tmp_path: Path) -> None:
    with started(tmp_path) as client:
        revision = publish(client, text_of("of_row", "default", SAID), "default")
        result = transcribe(client).json()
        assert result["playbook"] == {"name": "default", "revision": revision}
        assert "of_row" in [moment["rule"] for moment in result["moments"]]
        corrected = client.patch(
            f"/calls/{result['call_id']}/speakers", json={"speakers": {"speaker_0": {"role": "customer"}}}
        )
        assert corrected.json()["playbook"] == result["playbook"]


@pytest.mark.parametrize("path", ["/transcribe", "/calls"])
def test_an_unknown_playbook_is_refused_before_any_work(client: TestClient, path: str) -> None:
    answer = transcribe(client, path, playbook="nobody", call_id="CALL-nobody")
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_playbook")
    assert "default" in answer.json()["detail"]
    assert client.get("/calls/CALL-nobody").status_code == 404
    bad = transcribe(client, path, playbook="../../etc/passwd")
    assert (bad.status_code, bad.json()["code"]) == (422, "validation_error")


def test_the_same_id_with_another_playbook_is_another_call(client: TestClient, name: str) -> None:
    publish(client, text_of("first", name, SAID), name)
    assert transcribe(client, call_id=f"{name}-x", playbook=name).status_code == 200
    assert transcribe(client, call_id=f"{name}-x", playbook=name).headers["idempotent-replayed"] == "true"
    assert transcribe(client, call_id=f"{name}-x").json()["code"] == "call_exists"


def test_openapi_shows_both_kinds_of_body(client: TestClient) -> None:
    operations = client.get("/openapi.json").json()["paths"]
    for path, method in (("/playbooks", "post"), ("/playbooks/{name}/draft", "put")):
        content = operations[path][method]["requestBody"]["content"]
        assert content.keys() == {"application/yaml", "application/json"}
        example = content["application/yaml"]["example"]
        assert json.dumps(example) in json.dumps(content["application/json"]["schema"]["example"])
        assert parse_playbook(example, "example", "acme").rules[0].id == "price_too_high"


def test_a_database_that_is_away_for_a_moment_costs_no_call(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = services_of(client).library
    current, asked = library.current, []

    def away_at_first(name: str | None = None) -> CompiledPlaybook:
        asked.append(name)
        if len(asked) == 1:
            raise DatabaseUnavailable
        return current(name)

    monkeypatch.setattr(library, "current", away_at_first)
    assert transcribe(client).json()["playbook"]["name"] == "default"
    assert asked == [None, None]


def test_a_call_whose_playbook_has_gone_fails_and_says_so(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services_of(client).library, "check", lambda _: None)
    answer = transcribe(client, playbook="nobody", call_id="CALL-gone")
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_playbook")
    assert client.get("/calls/CALL-gone").json()["error"]["code"] == "unknown_playbook"
