"""Playbooks on pages: rules with their precision, drafts kept, tried, published, discarded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db.repositories.results import ResultRepository
from app.schemas.playbook_models import EXAMPLE_YAML
from app.schemas.review import Opinion, Verdict
from app.services.playbook_service import PlaybookService
from tests.db.values import analysis, at, completed
from tests.playbooks import write_playbooks
from tests.web.clients import SCRIPT, Elements, pages, services_of

DEARER = '"too expensive", "too dear"'
numbers = count(1)


@dataclass(frozen=True)
class Book:
    """A playbook of a name of its own, published without a draft; the application is everybody's."""

    client: TestClient
    name: str

    @property
    def path(self) -> str:
        return f"/ui/playbooks/{self.name}"

    @property
    def yaml(self) -> str:
        return EXAMPLE_YAML.replace("acme", self.name)

    @property
    def dearer(self) -> str:
        """Another text for it."""
        return self.yaml.replace('"too expensive"', DEARER)

    @property
    def service(self) -> PlaybookService:
        return services_of(self.client).playbooks

    def get(self, below: str = "") -> str:
        return self.client.get(self.path + below).text

    def post(self, below: str, **fields: str) -> Any:
        return self.client.post(self.path + below, data=fields)

    def has_draft(self) -> bool:
        return any(known.name == self.name and known.draft for known in self.service.all())


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Two playbooks in files beside the built-in one."""
    folder = tmp_path_factory.mktemp("playbooks")
    with pages(folder, playbook_dir=write_playbooks(folder / "playbooks")) as made:
        yield made


@pytest.fixture
def acme(client: TestClient) -> Book:
    book = Book(client, f"acme{next(numbers)}")
    book.service.publish(book.name, book.service.create(book.yaml).facts.revision)
    return book


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", Elements(html).text)


def sent(html: str, **changes: str) -> dict[str, str]:
    """What the editor's form would send."""
    hidden = {
        field["name"]: field.get("value", "") for field in Elements(html).all("input") if "name" in field
    }
    text = re.search(r"<textarea class=\"editor-text\".*?>\n(.*?)</textarea>", html, re.DOTALL)
    assert text
    return {"etag": hidden["etag"], "yaml": text[1].replace("&#34;", '"'), **changes}


def judged(book: Book, verdicts: list[Verdict]) -> None:
    """As many calls, each with a verdict on what `price_too_high` of the current revision found in it."""
    services = services_of(book.client)
    revision = book.service.get(book.name)[0].facts.revision
    for number, verdict in enumerate(verdicts):
        call_id = f"{book.name}-{number}"
        completed(services.database, call_id, number, ("objection",), agent_id="ann")
        found = analysis(call_id, playbook=book.name, playbook_revision=revision)
        (segment,) = [part for part in found.segments if part.moments]
        (moment,) = [one for one in segment.moments if one.type == "objection"]
        moment = replace(moment, rule="price_too_high")
        segments = (replace(segment, moments=(moment,)),)
        with services.database.session() as session:
            ResultRepository(session).add(call_id, replace(found, segments=segments), at(number))
        correct: dict[str, Any] = {"correct_type": "hesitation"} if verdict is Verdict.OTHER else {}
        services.reviews.review(call_id, moment.id, Opinion(verdict, **correct))


def test_the_list_tells_files_published_ones_and_drafts(acme: Book) -> None:
    acme.service.create(acme.dearer)
    html = acme.client.get("/ui/playbooks").text
    cards = {
        name: text_of(part) for name, part in re.findall(r"data-step>(\w+)(</a>.*?)</li>", html, re.DOTALL)
    }
    assert "1 rule in en" in cards[acme.name]
    assert "File 2 rules in en" in cards["strict"]
    assert "DefaultFile" in cards["default"]
    assert f'href="{acme.path}/draft"' in html


def test_a_rule_without_verdicts_says_so(acme: Book) -> None:
    html = acme.get()
    text = text_of(html)
    assert "No verdicts yet: open a call" in text
    assert "no verdicts yet" in text
    assert "Ask what it is compared with." in text
    assert '<code class="phrase">over [our|the] budget</code>' in html
    assert Elements(html).inline == []


def test_a_rule_with_verdicts_shows_how_many_and_the_interval(acme: Book) -> None:
    judged(acme, [Verdict.RIGHT, Verdict.RIGHT, Verdict.RIGHT, Verdict.OTHER])
    text = text_of(acme.get())
    assert "3 of 4 judged moments were right" in text
    assert "75 %of 4 verdicts; with 95 % confidence from 30 % to 95 %" in text
    assert "3 right, 0 wrong, 1 of another type: hesitation 1. Of this revision 3 of 4 were right." in text


def test_rules_are_narrowed_by_type_and_language(client: TestClient) -> None:
    html = client.get("/ui/playbooks/default?type=objection&language=de").text
    assert set(re.findall(r'class="chip moment moment--(\w+)"', html)) == {"objection"}
    shown = client.get("/ui/playbooks/default?type=nothing", headers={**SCRIPT, "HX-Target": "rules"})
    assert "No rule is like this" in shown.text
    assert shown.headers["hx-push-url"] == "/ui/playbooks/default?type=nothing"


def test_a_draft_is_kept_and_published(acme: Book) -> None:
    html = acme.get("/draft")
    assert "this is the text that holds now" in html
    assert sent(html) == {"etag": "", "yaml": acme.yaml}
    kept = acme.post("/draft", etag="", yaml=acme.dearer.replace("\n", "\r\n"))
    assert (kept.status_code, kept.headers["location"]) == (303, f"{acme.path}/draft")
    assert acme.service.draft(acme.name).yaml == acme.dearer
    assert "There is a draft" in acme.get()
    answer = acme.post("/publish", **sent(acme.get("/draft")))
    assert (answer.status_code, answer.headers["location"]) == (303, acme.path)
    html = acme.get()
    assert '<code class="phrase">too dear</code>' in html
    (earlier,) = re.findall(r'name="revision" value="(\w+)"', html)
    assert acme.post("/current", revision=earlier).status_code == 303
    assert "too dear" not in acme.get()


def test_what_is_wrong_stands_beside_the_text_with_its_line(acme: Book) -> None:
    answer = acme.post("/draft", etag="", yaml=acme.yaml.replace("role: customer", "role: <nobody>"))
    assert answer.status_code == 422
    assert 'data-line="7">Line 7</a> <code>rules.0.role</code>' in answer.text
    assert "role: &lt;nobody&gt;" in answer.text
    new = acme.client.post("/ui/playbooks", data={"yaml": "name: [\n"})
    assert new.status_code == 422
    assert "Line 2" in new.text


def test_examples_that_do_not_hold_are_no_reason_to_lose_the_draft(acme: Book) -> None:
    broken = acme.yaml.replace("That is too expensive for us.", "That is fine.")
    answer = acme.post("/publish", etag="", yaml=broken)
    assert answer.status_code == 422
    assert 'data-line="4">Line 4</a> <code>price_too_high.match</code>' in answer.text
    assert sent(answer.text)["etag"] == acme.service.draft(acme.name).etag


def test_somebody_elses_draft_is_not_written_over(acme: Book) -> None:
    before = sent(acme.get("/draft"))
    acme.service.create(acme.dearer)
    assert acme.post("/draft", **before).status_code == 409
    answer = acme.post("/draft", etag="0123456789abcdef", yaml=acme.yaml)
    assert answer.status_code == 412
    assert sent(answer.text)["yaml"] == acme.yaml
    assert acme.service.draft(acme.name).yaml == acme.dearer


def test_a_text_is_tried_before_it_is_kept(acme: Book) -> None:
    said = "Agent: What do you think?\r\nCustomer: It is too dear for us."
    fields = {"yaml": acme.dearer, "said": said}
    tried = acme.client.post(f"{acme.path}/try", data=fields, headers=SCRIPT)
    assert tried.status_code == 200
    assert "<html" not in tried.text
    assert "price_too_high 0 1 +1" in text_of(tried.text.replace("</t", " </t"))
    assert "<q>too dear</q>" in tried.text
    page = acme.post("/try", **fields).text
    assert "Found anew" in page
    assert sent(page)["yaml"] == acme.dearer
    assert not acme.has_draft()


def test_it_is_tried_on_stored_calls_and_a_refusal_stands_where_the_answer_would(acme: Book) -> None:
    judged(acme, [Verdict.RIGHT])
    tried = acme.client.post(f"{acme.path}/try", data={"yaml": acme.dearer}, headers=SCRIPT)
    assert re.search(r"What it finds in \d+ call", tried.text)
    refused = acme.client.post(f"{acme.path}/try", data={"yaml": "x"}, headers=SCRIPT)
    assert refused.status_code == 200
    assert "The playbook cannot be used" in refused.text
    assert acme.post("/try", yaml=acme.dearer, limit="9999").status_code == 422


def test_a_draft_is_discarded_after_a_question(client: TestClient) -> None:
    book = Book(client, "fresh")
    created = client.post("/ui/playbooks", data={"yaml": book.yaml})
    assert created.headers["location"] == "/ui/playbooks/fresh/draft"
    assert "Nothing is published under this name yet" in book.get()
    question = client.get("/ui/playbooks/fresh/draft/discard", headers=SCRIPT).text
    assert "and the playbook with it" in question
    (etag,) = re.findall(r'name="etag" value="(\w+)"', question)
    assert book.post("/draft/discard", etag=etag).headers["location"] == "/ui/playbooks"
    assert client.get("/ui/playbooks/fresh").status_code == 404
    assert client.get("/ui/playbooks/fresh/draft").status_code == 404


def test_rules_in_files_that_a_draft_does_not_hold_are_named(client: TestClient) -> None:
    text = text_of(client.get("/ui/playbooks/default/draft").text)
    assert "Rules of de, es, fr, hi, pt lie in files of their own" in text
