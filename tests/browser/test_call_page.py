"""The page of a call in a browser: heard, read, judged, corrected, commented."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import DEMO
from tests.browser.site import Site
from tests.browser.visitor import PHONE, Visitor

Visit = Callable[..., Visitor]

PLACE_OF_WORD = """([segment, word]) => {
  const text = document.querySelector(`#s${segment} .segment-text`);
  text.scrollIntoView({ block: "center", behavior: "instant" });
  const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const at = walker.currentNode.data.indexOf(word);
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(walker.currentNode, at);
    range.setEnd(walker.currentNode, at + word.length);
    const box = range.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  }
  return null;
}"""


SCROLLED_TO_THE_END = """() => {
  const last = [...document.querySelectorAll(".segment")].at(-1);
  last.scrollIntoView({ block: "center", behavior: "instant" });
  const box = last.getBoundingClientRect();
  return box.height > 0 && box.top < innerHeight && box.bottom > 0;
}"""
"""Segments get their height when they come near: the end is reached in more than one step."""


def time_of(page: Page) -> float:
    now: float = page.evaluate("() => document.getElementById('audio').currentTime")
    return now


def click_word(page: Page, segment: int, word: str) -> None:
    x, y = page.evaluate(PLACE_OF_WORD, [segment, word])
    page.mouse.click(x, y)


def is_at(page: Page, time_s: float, within_s: float = 0.5) -> None:
    page.wait_for_function(
        "([at, within]) => Math.abs(document.getElementById('audio').currentTime - at) <= within",
        arg=[time_s, within_s],
    )


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=re.compile(f"^{name}")).click()


def moments(page: Page) -> Locator:
    return page.locator("#moments .moment-card")


def test_it_plays_and_the_words_go_along(visit: Visit) -> None:
    page = visit(f"/ui/calls/{DEMO}").page
    expect(page.locator("#tracks.has-wave")).to_be_visible()
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("() => document.getElementById('audio').currentTime > 1.5")
    expect(page.locator(".segment.is-now")).to_have_attribute("id", "s0")
    expect(page.locator("#s0 .is-now")).to_have_count(1)
    page.get_by_role("button", name="Pause", exact=True).click()
    stopped = time_of(page)
    page.wait_for_timeout(300)
    assert time_of(page) == stopped


def test_a_clicked_word_is_heard(site: Site, visit: Visit) -> None:
    segment = next(one for one in site.service.call(DEMO)["segments"] if "expensive" in one["text"])
    word = next(one for one in segment["words"] if one["text"].startswith("expensive"))
    page = visit(f"/ui/calls/{DEMO}").page
    click_word(page, segment["index"], "expensive")
    page.wait_for_function("() => !document.getElementById('audio').paused")
    page.keyboard.press("k")
    assert word["start_time"] <= time_of(page) < word["start_time"] + 3
    expect(page.locator(".segment.is-now")).to_have_id(f"s{segment['index']}")


def test_keys_move_through_the_call(site: Site, visit: Visit) -> None:
    page = visit(f"/ui/calls/{DEMO}").page
    first = moments(page).first
    start = float(first.get_attribute("data-start") or "nan")
    page.keyboard.press("n")
    expect(first).to_have_class(re.compile("is-current"))
    is_at(page, start - 0.6)
    page.keyboard.press("l")
    is_at(page, start + 4.4)
    page.keyboard.press("j")
    is_at(page, start - 0.6)
    page.keyboard.press("]")
    assert page.evaluate("() => document.getElementById('audio').playbackRate") == 1.25
    page.keyboard.press("c")
    expect(page.locator("#comment-text")).to_be_focused()
    expect(page.locator("#comment-at")).to_have_value(re.compile(r"^0:\d\d$"))


def test_a_place_in_the_address_is_gone_to(visit: Visit) -> None:
    page = visit(f"/ui/calls/{DEMO}#t=42.5").page
    is_at(page, 42.5)


def test_a_verdict_by_key_and_by_click(site: Site, visit: Visit) -> None:
    call = site.add("VERDICT-1")
    page = visit(f"/ui/calls/{call}").page
    first, second = moments(page).nth(0), moments(page).nth(1)
    page.keyboard.press("n")
    page.keyboard.press("v")
    expect(first.locator("button[value=right]")).to_have_attribute("aria-pressed", "true")
    second.locator("button[value=wrong]").click()
    expect(second.locator("button[value=wrong]")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(first.locator("button[value=right]")).to_have_attribute("aria-pressed", "true")
    first.get_by_role("button", name="Take the verdict").click()
    expect(first.locator("button[value=right]")).to_have_attribute("aria-pressed", "false")


def test_another_type_is_said_in_a_dialog(site: Site, visit: Visit) -> None:
    page = visit(f"/ui/calls/{site.add('VERDICT-2')}").page
    first = moments(page).first
    first.get_by_role("link", name="Other, note").click()
    question = page.locator("dialog#question")
    question.get_by_label("Another type").check()
    question.get_by_label("It is").select_option("empathy")
    question.get_by_label("Note").fill("He only repeats it.")
    question.get_by_role("button", name="Save").click()
    expect(question).to_be_hidden()
    expect(first).to_contain_text("Empathy instead")
    expect(first).to_contain_text("He only repeats it.")


def test_speakers_are_named_and_swapped(site: Site, visit: Visit) -> None:
    call = site.add("SPEAKERS-1")
    page = visit(f"/ui/calls/{call}").page
    first = page.locator(".segment.party--agent").first
    place = f"#{first.get_attribute('id')}"
    tab(page, "Speakers")
    page.locator("#name-speaker_0").fill("Anna O'Brien")
    page.get_by_role("button", name="Save Agent").click()
    expect(page.locator(f"{place} .segment-who")).to_have_text("Anna O'Brien")
    tab(page, "Speakers")
    page.get_by_role("button", name="Swap").click()
    expect(page.locator(place)).to_have_class(re.compile("party--customer"))
    names = {one["id"]: (one["role"], one["name"]) for one in site.service.call(call)["speakers"]}
    assert names == {"speaker_0": ("customer", None), "speaker_1": ("agent", "Anna O'Brien")}


def test_a_comment_at_a_time(site: Site, visit: Visit) -> None:
    call = site.add("COMMENT-1")
    page = visit(f"/ui/calls/{call}").page
    tab(page, "Comments")
    page.locator("#comment-text").fill("Ask for the budget here.")
    page.locator("#comment-at").fill("2:05")
    page.locator("#comment-author").fill("Zoë")
    page.get_by_role("button", name="Comment", exact=True).click()
    comment = page.locator("#comments .comment")
    expect(comment).to_contain_text("Ask for the budget here.")
    expect(page.locator("[data-comment-count]")).to_have_text("1")
    comment.get_by_role("link", name="Change").click()
    page.locator("#change-text").fill("Ask for the date.")
    page.locator("dialog#question").get_by_role("button", name="Save").click()
    expect(comment).to_contain_text("Ask for the date.")
    assert site.service.get(f"/calls/{call}/comments").json()["items"][0]["time_seconds"] == 125
    comment.get_by_role("button", name="Delete").click()
    expect(comment).to_have_count(0)


def correct(segment: Locator) -> None:
    """Say what the segment's words are; they stand there at once, with the moment that they are."""
    segment.hover()
    segment.get_by_role("link", name="Correct the words").click()
    segment.page.locator("#correction-text").fill("That is far too expensive for us.")
    segment.page.locator("dialog#question").get_by_role("button", name="Save").click()
    expect(segment.locator(".segment-text")).to_have_text("That is far too expensive for us.")
    expect(segment.locator("mark.moment--objection")).to_contain_text("expensive")


def test_a_word_is_corrected_and_given_back(site: Site, visit: Visit) -> None:
    call = site.add("CORRECT-1")
    heard = site.service.call(call)["segments"][0]["text"]
    page = visit(f"/ui/calls/{call}").page
    segment = page.locator("#s0")
    correct(segment)
    expect(segment.locator(".heard")).to_contain_text(heard[:20])
    segment.hover()
    segment.get_by_role("link", name="Correct the words").click()
    page.get_by_role("button", name="Give back what was heard").click()
    expect(segment.locator(".segment-text")).to_have_text(heard)


def test_the_reel_plays_with_its_chapters(site: Site, visit: Visit) -> None:
    page = visit(f"/ui/calls/{DEMO}").page
    tab(page, "Reel")
    page.locator("#reel").get_by_label(re.compile("recording", re.IGNORECASE)).first.check()
    page.get_by_role("button", name="Make the reel").click()
    chapters = page.locator("#reel-made .chapters li")
    expect(chapters.first).to_be_visible(timeout=90_000)
    address = page.locator("[data-reel-audio]").get_attribute("src")
    cues = site.service.get(f"{address}?format=json").json()["cues"]
    assert [float(one.get_attribute("data-start") or "nan") for one in chapters.all()] == [
        pytest.approx(cue["start_time"]) for cue in cues
    ]
    assert len(cues) >= 5
    last = chapters.last
    last.locator("[data-reel-seek]").click()
    start = float(last.get_attribute("data-start") or "nan")
    page.wait_for_function("(at) => document.querySelector('[data-reel-audio]').currentTime >= at", arg=start)
    expect(last).to_have_class(re.compile("is-current"))


def test_words_are_sought_within_the_call(visit: Visit) -> None:
    page = visit(f"/ui/calls/{DEMO}").page
    page.locator("#find").fill("expensive")
    expect(page.locator("[data-found]")).to_have_text("1 of 1")
    expect(page.locator(".segment.is-found")).to_contain_text("expensive")


@pytest.fixture(scope="module")
def two_hours(site: Site) -> str:
    return site.add_two_hours("LONG-1")


@pytest.mark.parametrize("window", [{}, {"viewport": PHONE}], ids=["laptop", "phone"])
def test_two_hours_open_and_scroll(two_hours: str, visit: Visit, window: dict[str, object]) -> None:
    visitor = visit(f"/ui/calls/{two_hours}", **window)
    page = visitor.page
    expect(page.locator("#tracks.has-wave")).to_be_visible()
    if window:
        tab(page, "Transcript")
    expect(page.locator(".rest")).to_have_count(0)
    last = page.locator(".segment").last
    page.wait_for_function(SCROLLED_TO_THE_END)
    expect(last).to_be_in_viewport()
    assert (last.locator(".segment-time").text_content() or "").startswith("1:59")
    assert visitor.overflow_px() == 0


def test_the_rest_of_a_long_call_follows(site: Site, two_hours: str, visit: Visit) -> None:
    """Each in a page of its own: what is gone to, sought or stepped to need not have come yet."""
    address = f"/ui/calls/{two_hours}"
    page = visit(f"{address}#s900").page
    expect(page.locator("#s900")).to_be_in_viewport()
    expect(page.locator("#s900:target")).to_have_count(1)
    expect(page.locator(".rest")).to_have_count(0)
    page = visit(f"{address}#t=5400").page
    expect(page.locator(".segment.is-now")).to_be_in_viewport()
    expect(page.locator(".segment.is-now .segment-time")).to_have_text(re.compile("^1:(29|30)"))
    page = visit(address).page
    said = site.service.call(two_hours)["segments"][-1]["text"]
    page.locator("#find").fill(said)
    expect(page.locator("[data-found]")).to_have_text(re.compile(r"^1 of \d+$"))
    page.get_by_role("button", name="Previous hit").click()
    expect(page.locator(".segment.is-found")).to_be_in_viewport()
    expect(page.locator(".segment").last).to_have_class(re.compile("is-found"))


def test_a_moment_late_in_a_long_call_is_gone_to(site: Site, two_hours: str, visit: Visit) -> None:
    found = [one for part in site.service.call(two_hours)["segments"] for one in part["moments"]]
    middle, last = found[len(found) // 2]["id"], found[-1]["id"]
    page = visit(f"/ui/calls/{two_hours}#{middle}").page
    expect(page.locator(f"#{middle}")).to_have_class(re.compile("is-current"))
    expect(page.locator(f"#{middle}")).to_be_in_viewport()
    page.locator(f'[data-moment="{last}"]').dispatch_event("click")
    expect(page.locator(f"#{last}")).to_have_class(re.compile("is-current"))
    expect(page.locator(f"#{last}")).to_be_in_viewport()
    expect(page.locator(".segment.is-now")).to_be_in_viewport()
    page.locator(f"#{last} button[value=right]").click()
    expect(page.locator(f"#{last} button[value=right]")).to_have_attribute("aria-pressed", "true")


def test_a_long_call_is_read_without_scripts(site: Site, two_hours: str, visit: Visit) -> None:
    segments = site.service.call(two_hours)["segments"]
    page = visit(f"/ui/calls/{two_hours}", java_script_enabled=False).page
    assert page.locator(".segment").count() < len(segments)
    page.get_by_role("link", name=re.compile("more segments")).click()
    expect(page.locator(".segment")).to_have_count(len(segments))
    assert page.locator(".segment-text").all_text_contents() == [part["text"] for part in segments]


def test_a_long_call_whose_rest_cannot_be_had_says_so(two_hours: str, visit: Visit) -> None:
    visitor = visit("/")
    visitor.expects("Failed to load resource")
    page = visitor.page
    page.route("**/rest/*", lambda route: route.abort())
    visitor.open(f"/ui/calls/{two_hours}")
    page.locator("#find").fill("expensive")
    expect(page.locator("[data-found]")).to_have_text(re.compile(" so far$"))
    expect(page.get_by_role("link", name=re.compile("more segments"))).to_be_visible()


def test_a_segment_late_in_a_long_call_is_corrected_in_place(site: Site, visit: Visit) -> None:
    call = site.add_two_hours("LONG-2")
    page = visit(f"/ui/calls/{call}#s1200").page
    segment = page.locator("#s1200")
    expect(segment).to_be_in_viewport()
    correct(segment)
    assert page.locator(".segment").count() > 1200


def test_play_pressed_before_the_scripts_are_there_is_not_lost(visit: Visit) -> None:
    visitor = visit("/")
    page = visitor.page
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/call/main.js", hold)
    page.goto(f"{visitor.url}/ui/calls/{DEMO}", wait_until="commit")
    page.get_by_role("button", name="Play", exact=True).click()
    assert held
    assert page.evaluate("() => document.getElementById('audio').paused")
    held[0].continue_()
    page.wait_for_function("() => document.getElementById('audio').currentTime > 0.5")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
