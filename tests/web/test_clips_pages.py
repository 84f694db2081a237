"""The library of clips: folders, filters, cards, and what is asked before a clip is changed or goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from app.db.repositories.clips import ClipRepository
from app.schemas.clip import ClipFilter, Consent, ConsentState, ExcerptLine, KeptClip
from tests.db.values import completed
from tests.web.clients import SCRIPT, Elements, pages, services_of

HOSTILE = "<script>alert(1)</script>"
WHEN = datetime(2026, 2, 21, 11, tzinfo=UTC)


def keep(client: TestClient, clip_id: str, folder: str | None, **changes: object) -> None:
    """A clip with its own file."""
    services = services_of(client)
    writer = services.storage.create()
    writer.write(b"ID3")
    file = writer.commit()
    values: dict[str, object] = {
        "id": clip_id,
        "call_id": "C-1",
        "moment_id": "m_1",
        "folder": folder,
        "title": f"Title of {clip_id}",
        "note": None,
        "start_s": 64.4,
        "end_s": 68.1,
        "type": "objection",
        "subtype": "price",
        "excerpt": (ExcerptLine("speaker_1", "customer", HOSTILE),),
        "consent": Consent(),
        "audio_key": file.key,
        "audio_bytes": file.size,
        "audio_sha256": file.sha256,
        "created_at": WHEN,
        **changes,
    }
    with services.database.session() as session:
        ClipRepository(session).add(KeptClip(**values))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with pages(tmp_path_factory.mktemp("clips")) as made:
        completed(services_of(made).database, "C-1", 0, agent_id="ann", team_id="emea")
        yield made


@pytest.fixture
def client(library: TestClient) -> TestClient:
    """Two clips and no others, whatever became of earlier ones."""
    clips = services_of(library).clips
    for clip in clips.page(ClipFilter(), 50, None)[0]:
        clips.remove(clip.id)
    recorded = Consent(ConsentState.RECORDED, "Robin", WHEN)
    keep(library, "clip_a", "Price & co", consent=recorded, note="Waits.")
    keep(library, "clip_b", None, type="empathy", subtype=None, moment_id=None, title="Listens")
    return library


def titles(html: str) -> list[str]:
    return re.findall(r'class="clip-title">([^<]*)<', html)


def test_clips_are_narrowed_by_folder_type_agent_and_consent(client: TestClient) -> None:
    assert sorted(titles(client.get("/ui/clips").text)) == ["Listens", "Title of clip_a"]
    for asked, found in (
        ("folder=Price+%26+co", ["Title of clip_a"]),
        ("unfiled=1", ["Listens"]),
        ("type=empathy", ["Listens"]),
        ("consent=recorded", ["Title of clip_a"]),
        ("agent_id=ann&team_id=emea&type=objection", ["Title of clip_a"]),
        ("agent_id=bob", []),
    ):
        assert titles(client.get(f"/ui/clips?{asked}").text) == found, asked


def test_a_card_is_heard_read_and_leads_to_its_place_in_the_call(client: TestClient) -> None:
    html = client.get("/ui/clips").text
    assert 'src="/clips/clip_a/audio"' in html
    assert 'href="/ui/calls/C-1#m_1"' in html
    assert 'href="/ui/calls/C-1#t=64.4"' in html
    assert HOSTILE not in html
    assert "Consent recorded" in html
    assert "by Robin" in html
    folders = [link["href"] for link in Elements(html).all("a") if link.get("class") == "menu-link folder"]
    assert folders == ["/ui/clips", "/ui/clips?unfiled=1", "/ui/clips?folder=Price+%26+co"]


def test_a_script_narrows_the_list_and_gets_the_address_to_show(client: TestClient) -> None:
    answer = client.get("/ui/clips?type=&agent_id=ann", headers={**SCRIPT, "HX-Target": "library"})
    assert answer.headers["hx-push-url"] == "/ui/clips?agent_id=ann"


def test_a_clip_is_changed_and_what_was_recorded_keeps_its_time(client: TestClient) -> None:
    question = client.get("/ui/clips/clip_a/edit?next=/ui/clips?unfiled=1", headers=SCRIPT).text
    assert "<html" not in question
    assert 'value="Price &amp; co"' in question
    fields = {"title": "Anew", "folder": "", "note": " ", "consent": "recorded", "recorded_by": "Kim"}
    answer = client.post("/ui/clips/clip_a", data={**fields, "next": "/ui/clips?unfiled=1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/clips?unfiled=1")
    clip = services_of(client).clips.get("clip_a")
    assert (clip.title, clip.folder, clip.note) == ("Anew", None, None)
    assert clip.consent == Consent(ConsentState.RECORDED, "Kim", WHEN)


def test_a_clip_goes_when_it_is_deleted_or_consent_is_declined(client: TestClient) -> None:
    page = client.get("/ui/clips/clip_a/delete").text
    assert "Delete this clip?" in page
    assert client.post("/ui/clips/clip_a/delete").headers["location"] == "/ui/clips"
    assert client.post("/ui/clips/clip_b", data={"title": "x", "consent": "declined"}).status_code == 303
    html = client.get("/ui/clips").text
    assert "No clips yet" in html
    assert 'href="/"' in html


def test_what_no_clip_can_be_is_refused(client: TestClient) -> None:
    answer = client.post("/ui/clips/clip_a", data={"title": "x" * 129})
    assert answer.status_code == 422
    assert "title" in answer.text
    assert client.get("/ui/clips/clip_c/edit").status_code == 404
