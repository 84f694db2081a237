"""The list of calls in a browser: recordings handed in, work watched, search, filters, what went wrong."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.site import DEMO_FILE, Site
from tests.browser.visitor import Visitor
from tests.process.service import tone
from tests.web.test_calls_page import FAILURE

Visit = Callable[..., Visitor]

DROPPED = """([name, ...contents]) => {
  const files = new DataTransfer();
  contents.forEach((content, at) => {
    const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
    files.items.add(new File([bytes], `${name}-${at + 1}.wav`, { type: "audio/wav" }));
  });
  return files;
}"""


def line_of(page: Page, call_id: str) -> Locator:
    return page.locator("tr.call").filter(has=page.locator(f'[id="open-{call_id}"]'))


def opened_upload(page: Page) -> None:
    page.get_by_role("link", name="Upload", exact=True).click()
    page.locator("dialog#upload[open]").wait_for()


def test_a_recording_is_chosen_and_its_line_says_when_it_is_done(site: Site, visit: Visit) -> None:
    page = visit("/").page
    opened_upload(page)
    page.locator("#upload-agent_id").fill("chosen-1")
    page.locator("#upload-audio").set_input_files(DEMO_FILE)
    link = page.get_by_role("link", name="In work: open")
    call_id = (link.get_attribute("href") or "").rpartition("/")[2]
    page.get_by_role("button", name="Close").last.click()
    line = line_of(page, call_id)
    expect(line.locator(".status")).to_have_text("Done", timeout=90_000)
    expect(line.locator(".chip").first).to_be_visible()
    expect(line.locator(".call-agent")).to_have_text("chosen-1")
    expect(line.locator(".call-id")).to_have_text(DEMO_FILE.name)
    assert site.service.call(call_id)["agent_id"] == "chosen-1"


def test_two_recordings_are_dropped_on_the_page(site: Site, visit: Visit) -> None:
    page = visit("/").page
    contents = [base64.b64encode(tone(pitch=pitch)).decode() for pitch in (300, 350)]
    files = page.evaluate_handle(DROPPED, ["dropped", *contents])
    page.dispatch_event("body", "dragenter", {"dataTransfer": files})
    expect(page.get_by_text("Drop recordings to analyse them")).to_be_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": files})
    uploads = page.locator("[data-uploads] li")
    expect(uploads).to_have_count(2)
    expect(uploads.get_by_role("link", name="In work: open")).to_have_count(2)
    expect(uploads.first).to_contain_text("dropped-1.wav")
    for link in uploads.get_by_role("link").all():
        assert site.service.wait_for((link.get_attribute("href") or "").rpartition("/")[2])


def test_what_is_no_recording_is_refused_in_its_place(visit: Visit) -> None:
    visitor = visit("/")
    visitor.expects("status of 415")
    opened_upload(visitor.page)
    archive = {"name": "a.zip", "mimeType": "application/zip", "buffer": b"PK\x03\x04" * 99}
    visitor.page.locator("#upload-audio").set_input_files(archive)
    refused = visitor.page.locator("[data-uploads] li")
    expect(refused).to_contain_text("Not taken")
    expect(refused.get_by_role("button", name="Try again")).to_be_visible()


def test_filters_are_in_the_address_and_come_back_with_it(site: Site, visit: Visit) -> None:
    own = site.service.get("/calls?agent_id=agent-1").json()["items"]
    page = visit("/").page
    page.locator("#agent_id").fill("agent-1")
    page.locator("#agent_id").blur()
    expect(page.locator("tr.call")).to_have_count(len(own))
    page.locator("#moment_type").select_option("pressure")
    expect(page).to_have_url(re.compile(r"agent_id=agent-1.*moment_type=pressure"))
    narrowed = page.locator("tr.call .call-id").all_inner_texts()
    page.reload()
    assert page.locator("tr.call .call-id").all_inner_texts() == narrowed
    assert page.locator("#agent_id").input_value() == "agent-1"
    page.locator("#agent_id").fill("nobody")
    page.locator("#agent_id").blur()
    expect(page.get_by_role("heading", name="No call is like this")).to_be_visible()
    page.get_by_role("link", name="Show all calls").click()
    expect(page.locator("tr.call")).to_have_count(30)


def test_what_was_said_is_found_and_leads_to_its_place(visit: Visit) -> None:
    page = visit("/?agent_id=daniel").page
    page.keyboard.press("/")
    page.keyboard.type('"too expensive for us" boss')
    expect(page).to_have_url(re.compile("q=.*boss"))
    found = page.locator(".call-found")
    expect(found).to_have_count(1)
    expect(found.locator("mark").first).to_have_text("too expensive for us")
    found.locator("a .number").click()
    expect(page).to_have_url(re.compile(r"/ui/calls/DEMO-001#t=5\d"))
    page.go_back()
    page.locator("#q").fill("xylophone")
    expect(page.get_by_role("heading", name="No call is like this")).to_be_visible()


def test_pages_of_the_list_and_its_keys(visit: Visit) -> None:
    page = visit("/").page
    first = page.locator("tr.call .call-id").all_inner_texts()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(".call-link").nth(1)).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Older calls").click()
    page.get_by_role("link", name="Newest calls").wait_for()
    assert not {*first} & {*page.locator("tr.call .call-id").all_inner_texts()}
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="Agents", level=1)).to_be_visible()


def test_a_failed_call_says_why_and_is_tried_again(site: Site, visit: Visit) -> None:
    site.add_failed("FAILED-1")
    page = visit("/?status=failed").page
    line = line_of(page, "FAILED-1")
    expect(line).to_contain_text(f"{FAILURE['failure_detail']}.")
    line.locator(".call-link").click()
    expect(page.get_by_role("heading", name="The analysis failed")).to_be_visible()
    page.go_back()
    line.get_by_role("button", name="Try again").click()
    expect(line.locator(".status")).to_have_text("Done", timeout=90_000)


def test_a_call_is_deleted_after_a_question(site: Site, visit: Visit) -> None:
    site.add("GONE-1")
    page = visit("/").page
    page.get_by_role("link", name="Delete GONE-1").click()
    question = page.locator("dialog#question")
    question.get_by_role("link", name="Keep it").click()
    expect(question).to_be_hidden()
    page.get_by_role("link", name="Delete GONE-1").click()
    question.get_by_role("button", name="Delete").click()
    expect(line_of(page, "GONE-1")).to_have_count(0)
    assert site.service.get("/calls/GONE-1").status_code == 404
