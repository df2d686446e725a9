"""The log: long ones, what is new in it, and the place where one reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.person import Person
from tests.services import TIMEOUT_SCALE

pytestmark = [pytest.mark.system, pytest.mark.parametrize("stack", ["redis"], indirect=True)]

_POST = """async ([path, texts]) => {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  for (const body of texts) {
    const form = new URLSearchParams({ body, csrfmiddlewaretoken: token });
    await fetch(`${path}messages/`, { method: "POST", body: form });
  }
}"""
# A log of many messages, made as the page makes it; then one message more, fifty times, and a scroll to its beginning.
_MANY = """
async (count) => {
  const { Log } = await import([...document.querySelectorAll("link[rel=modulepreload]")]
    .map((link) => link.href).find((url) => /\\/js\\/log\\./.test(url)));
  document.getElementById("earlier").remove();
  const me = { key: "u0", name: "Me", guest: false };
  const log = new Log(me, { onEnd() {} });
  const box = document.getElementById("log");
  const frame = () => new Promise(requestAnimationFrame);
  const median = (values) => values.sort((one, other) => one - other)[values.length >> 1];
  const message = (seq) => ({
    seq, id: `many${seq}`, author: seq % 7 ? { key: `u${1 + (seq >> 2) % 5}`, name: "Somebody", guest: false } : me,
    body: "a few words ".repeat(1 + seq % 9), at: new Date(Date.UTC(2026, 0, 1) + seq * 60_000).toISOString(),
    image: null, removed: false, edited: null, revision: 0, mentions: [],
  });
  for (let top = 10_000; top > 10_000 - count; top -= 50) {
    log.show(Array.from({ length: 50 }, (_, index) => message(top - 49 + index)), { quiet: true });
    await frame();
  }
  await frame(); await frame();
  const live = [];
  for (let seq = 10_001; seq <= 10_050; seq += 1) {
    const from = performance.now();
    log.show([message(seq)]);
    box.getBoundingClientRect();
    live.push(performance.now() - from);
    await frame();
  }
  await frame(); await frame();
  const height = box.scrollHeight;
  const frames = [];
  const at = () => performance.now();
  for (let last = at(); box.scrollTop > 0; last = at()) {
    box.scrollTop -= 4_000;
    await frame();
    frames.push(at() - last);
  }
  const shown = box.querySelectorAll(".message").length;
  return { live: median(live), frame: median(frames), grew: box.scrollHeight - height, count: shown };
}
"""


def post(person: Person, path: str, texts: list[str]) -> None:
    person.page.evaluate(_POST, [path, texts])


def scroll_to(person: Person, top: int) -> None:
    person.page.evaluate("(top) => { document.getElementById('log').scrollTop = top; }", top)


def hide(person: Person, hidden: bool) -> None:
    """Put the page out of sight, as if another tab were in front of it, or back."""
    person.page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_own_messages_show_that_they_are_stored(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    ann.say("mine")
    ann.expect(ann.message("mine").locator(".message-state")).to_have_text("Sent")
    bo.sees("mine")
    bo.expect(bo.message("mine").locator(".message-state")).to_be_hidden()


def test_earlier_messages_come_as_one_scrolls_up_and_the_place_is_kept(ann: Person, bo: Person, room: str) -> None:
    post(ann, room, [f"line {number}" for number in range(1, 181)])
    bo.go(room)
    bo.sees("line 180")
    assert len(bo.texts()) < 180
    # Far enough from the beginning of what is there that the next ones come before it is reached.
    scroll_to(bo, 300)
    first = bo.page.evaluate(
        """() => {
          const top = document.getElementById("log").getBoundingClientRect().top;
          const item = [...document.querySelectorAll(".message")]
            .find((one) => one.getBoundingClientRect().bottom > top);
          return [item.querySelector(".bubble-text").textContent, item.getBoundingClientRect().top];
        }"""
    )
    bo.expect(bo.message(f"line {int(first[0].split()[1]) - 40}")).to_have_count(1)
    assert bo.message(first[0]).bounding_box()["y"] == pytest.approx(first[1], abs=24)
    while bo.page.locator("#earlier").is_visible():
        scroll_to(bo, 0)
    assert bo.texts() == [f"line {number}" for number in range(1, 181)]
    bo.expect("#log-start").to_be_visible()
    bo.expect("#earlier").to_be_hidden()


def test_earlier_messages_can_be_loaded_with_the_keyboard(ann: Person, bo: Person, room: str) -> None:
    post(ann, room, [f"line {number}" for number in range(1, 61)])
    # As in a browser that never reports what comes into sight.
    bo.page.add_init_script("IntersectionObserver = class { observe() {} unobserve() {} disconnect() {} };")
    bo.go(room)
    bo.sees("line 60")
    assert bo.page.locator(".message").count() == 50
    bo.page.focus("#earlier")
    bo.page.keyboard.press("Enter")
    bo.sees("line 1")
    bo.expect("#log").to_be_focused()


def test_a_line_stands_above_the_first_unread_message(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    ann.say("read")
    bo.sees("read")
    bo.page.wait_for_function(
        "() => Object.entries(localStorage).some(([key, value]) => /^chat:read:/.test(key) && /:1[,}]/.test(value))"
    )
    bo.page.goto("/")
    ann.say("not read yet")
    ann.say("nor this")
    ann.sees("nor this")
    bo.go(room)
    bo.sees("nor this")
    bo.expect(".unread-line").to_have_count(1)
    bo.expect(bo.message("not read yet").locator(".unread-line")).to_have_text("New messages")
    # Who answers has read it.
    bo.say("now I have")
    bo.expect(".unread-line").to_have_count(0)


def test_what_came_while_the_page_was_out_of_sight_stands_below_a_line(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    post(ann, room, [f"seen {number}" for number in range(20)])
    bo.sees("seen 19")
    hide(bo, True)
    post(ann, room, [f"missed {number}" for number in range(40)])
    bo.sees("missed 39")
    hide(bo, False)
    bo.expect(bo.message("missed 0").locator(".unread-line")).to_be_in_viewport()
    bo.expect("#newer").to_be_visible()


def test_a_button_leads_back_to_the_latest_message(ann: Person, bo: Person, room: str) -> None:
    # There before they are said: else the page would open at the first unread one.
    bo.go(room)
    post(ann, room, [f"line {number}" for number in range(40)])
    bo.sees("line 39")
    bo.expect("#newer").to_be_hidden()
    scroll_to(bo, 0)
    bo.expect("#newer").to_have_text("Jump to the latest message")
    ann.say("and another")
    bo.expect("#newer").to_have_text("1 new message ↓")
    bo.expect(bo.message("and another").locator(".unread-line")).to_have_count(1)
    bo.page.click("#newer")
    bo.expect("#newer").to_be_hidden()
    bo.expect(bo.message("and another")).to_be_in_viewport()


def test_five_thousand_messages_scroll_smoothly(bo: Person) -> None:
    """A frame, and a message more, cost about the same with 5,000 messages as with 500; nothing jumps on the way."""
    few = bo.page.evaluate(_MANY, 500)
    bo.go("/rooms/lobby/")
    many = bo.page.evaluate(_MANY, 5_000)
    assert many["count"] >= 5_050
    assert abs(many["grew"]) < 50, many
    # Milliseconds; the browser of a test draws without a graphics card.
    assert many["live"] < max(3 * few["live"], 8 * TIMEOUT_SCALE), (few, many)
    assert many["frame"] < max(2 * few["frame"], 34 * TIMEOUT_SCALE), (few, many)


_SHIFTS = """
globalThis.shifts = [];
new PerformanceObserver((list) => shifts.push(...list.getEntries().filter((entry) => !entry.hadRecentInput)))
  .observe({ type: "layout-shift", buffered: true });
"""


def test_the_page_is_painted_at_once_and_nothing_shifts(
    ann: Person, somebody: Callable[..., Person], room: str, unique: Callable[[str], str]
) -> None:
    """First paint within a second, all modules asked for together, and a cumulative layout shift below 0.01."""
    post(ann, room, [f"line {number} {'and more ' * (number % 9)}" for number in range(60)])
    person = somebody()
    person.enter_as_guest(unique("Cy "), room)
    person.page.add_init_script(_SHIFTS)
    person.go(room)
    person.expect(".message").not_to_have_count(0)
    ann.say("one more")
    person.sees("one more")
    measured: dict[str, Any] = person.page.evaluate(
        """() => {
          const modules = performance.getEntriesByType("resource")
            .filter(({ name }) => /\\/chat\\/.*\\.js$/.test(name));
          const paint = performance.getEntriesByType("paint").find(({ name }) => name === "first-contentful-paint");
          return {
            paint: paint.startTime,
            shift: shifts.reduce((sum, { value }) => sum + value, 0),
            sources: shifts.flatMap(({ sources }) => sources.map(({ node }) => node?.outerHTML?.slice(0, 80))),
            late: modules.filter(({ initiatorType }) => initiatorType === "script").map(({ name }) => name),
          };
        }"""
    )
    assert measured["paint"] < 1_000 * TIMEOUT_SCALE
    assert measured["shift"] < 0.01, measured["sources"]
    preloaded = person.page.locator("link[rel=modulepreload]").count()
    assert preloaded > 20
    assert [name for name in measured["late"] if not re.search(r"/(theme|main)\.", name)] == []
