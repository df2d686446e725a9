"""What one chooses for oneself, drafts, emoji and notifications: kept in the browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.person import Person

pytestmark = [pytest.mark.system, pytest.mark.parametrize("stack", ["redis"], indirect=True)]

# A page out of sight, and notifications that are noted instead of shown.
_UNSEEN = """
Object.defineProperty(document, "hidden", { configurable: true, get: () => localStorage.unseen === "yes" });
globalThis.asked = 0;
globalThis.Notification = class extends EventTarget {
  static permission = "default";
  static async requestPermission() {
    asked += 1;
    return (Notification.permission = localStorage.permission ??= "granted");
  }
  constructor(title, { body }) {
    super();
    localStorage.shown = JSON.stringify([...JSON.parse(localStorage.shown ?? "[]"), `${title}: ${body}`]);
  }
};
Notification.permission = localStorage.permission ?? "default";
"""


def shown(person: Person) -> list[str]:
    return person.page.evaluate("JSON.parse(localStorage.shown ?? '[]')")


def open_preferences(person: Person) -> None:
    person.page.click("#preferences-open")
    person.expect("#preferences").to_be_visible()


def canvas(person: Person) -> str:
    return person.page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_colours_and_the_size_of_text_are_chosen_and_stay(bo: Person) -> None:
    light = canvas(bo)
    open_preferences(bo)
    bo.page.get_by_label("Dark").check(force=True)
    dark = canvas(bo)
    assert dark != light
    bo.page.get_by_label("Largest").check(force=True)
    size = bo.page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    assert size > 18
    bo.page.keyboard.press("Escape")
    bo.expect("#preferences-open").to_be_focused()
    # On every page, before it is painted first.
    bo.page.add_init_script(
        """new PerformanceObserver((list, observer) => {
          observer.disconnect();
          globalThis.firstColour = getComputedStyle(document.body).backgroundColor;
        }).observe({ type: "paint" });"""
    )
    bo.page.goto("/accounts/login/")
    bo.page.wait_for_function("() => globalThis.firstColour")
    assert bo.page.evaluate("firstColour") == dark
    assert bo.page.evaluate("document.querySelector('meta[name=theme-color][media=all]').content") == "#0b1210"


def test_enter_can_start_a_new_line(bo: Person, unique: Callable[[str], str]) -> None:
    text = unique("two lines ")
    open_preferences(bo)
    bo.page.get_by_label("Enter sends the message").uncheck()
    bo.page.click("#preferences-close")
    bo.page.fill("#composer-text", text)
    bo.page.press("#composer-text", "Enter")
    bo.page.keyboard.type("now")
    bo.page.keyboard.press("Control+Enter")
    bo.sees(f"{text}\nnow")


def test_a_draft_survives_a_reload_and_is_marked_in_the_list(ann: Person, room: str) -> None:
    mark = ann.page.locator(f'#rooms a[href="{room}"] [data-draft]')
    ann.page.fill("#composer-text", "half a thou")
    ann.page.reload()
    ann.is_in_room()
    assert ann.page.input_value("#composer-text") == "half a thou"
    ann.expect(mark).to_be_hidden()
    ann.go("/rooms/lobby/")
    assert ann.page.input_value("#composer-text") == ""
    ann.expect(mark).to_be_visible()
    ann.go(room)
    ann.page.press("#composer-text", "Enter")
    ann.sees("half a thou")
    ann.go("/rooms/lobby/")
    ann.expect(mark).to_be_hidden()


def test_drafts_are_forgotten_on_signing_out(ann: Person, room: str) -> None:
    ann.page.fill("#composer-text", "a secret")
    ann.page.get_by_role("button", name="Sign out").click()
    ann.page.wait_for_url("**/")
    assert "a secret" not in ann.page.evaluate("JSON.stringify(localStorage)")


def test_emoji_are_looked_for_before_they_have_arrived(ann: Person, room: str) -> None:
    late: list[Any] = []
    ann.page.context.route("**/emoji-data*.js", lambda route: late.append(route))
    ann.go(room)
    with ann.page.expect_request("**/emoji-data*.js"):
        ann.page.click("#emoji-open")
    ann.page.fill("#emoji-search", "thumbs up")
    late[0].continue_()
    ann.expect("#emoji-list button").to_have_count(1)


@pytest.mark.parametrize("word", ["thumbs up", "拇指向上"])
def test_emoji_are_found_in_both_languages_and_put_at_the_caret(ann: Person, room: str, word: str) -> None:
    ann.page.fill("#composer-text", "你好好")
    ann.page.evaluate("document.getElementById('composer-text').setSelectionRange(1, 2)")
    ann.page.click("#emoji-open")
    ann.expect("#emoji-search").to_be_focused()
    ann.page.keyboard.type(word)
    ann.expect("#emoji-list button").to_have_count(1)
    # Enter that ends a word of an input method takes none.
    ann.page.evaluate(
        """document.getElementById("emoji-search").dispatchEvent(
            new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true }))"""
    )
    assert ann.page.input_value("#composer-text") == "你好好"
    ann.page.keyboard.press("ArrowDown")
    ann.page.keyboard.press("Enter")
    ann.expect("#composer-text").to_be_focused()
    assert ann.page.input_value("#composer-text") == "你👍️好"
    ann.page.keyboard.type("!")
    assert ann.page.input_value("#composer-text") == "你👍️!好"
    # The last ones stand first.
    ann.page.click("#emoji-open")
    ann.expect(ann.page.locator("#emoji-list button").first).to_have_text("👍️")
    ann.page.keyboard.press("Escape")
    ann.expect("#emoji-panel").to_be_hidden()


def test_notifications_come_once_for_all_tabs_and_only_when_asked_for(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    ann.page.context.add_init_script(_UNSEEN)
    ann.go(room)
    other: Any = Person(ann.page.context.new_page())
    other.go(room)
    ann.page.evaluate("localStorage.unseen = 'yes'")
    bo.say("before anybody asked")
    other.sees("before anybody asked")
    open_preferences(ann)
    assert ann.page.evaluate("asked") == 0
    ann.page.get_by_label("Notify me while").check()
    ann.page.wait_for_function("() => asked === 1")
    other.page.reload()
    other.is_in_room()
    bo.say("not for her")
    bo.say(f"but this is, @{ann.name}")
    ann.page.wait_for_function("() => localStorage.shown?.includes('but this is')")
    ann.page.select_option("#preference-room", "all")
    bo.say("now everything")
    ann.page.wait_for_function("() => localStorage.shown?.includes('now everything')")
    ann.page.select_option("#preference-room", "none")
    bo.say(f"nothing more, @{ann.name}")
    for page in (ann, other):
        page.sees(f"nothing more, @{ann.name}")
    ann.page.select_option("#preference-room", "all")
    ann.page.evaluate("localStorage.unseen = 'no'")
    bo.say("she is looking")
    other.sees("she is looking")
    ann.page.evaluate("localStorage.unseen = 'yes'")
    bo.say("the last one")
    ann.page.wait_for_function("() => localStorage.shown?.includes('the last one')")
    texts = [text.split(": ", 1)[1] for text in shown(ann)]
    assert texts == [f"but this is, @{ann.name}", "now everything", "the last one"]


def test_notifications_tell_of_other_rooms_without_their_words(ann: Person, bo: Person, room: str) -> None:
    garden = ann.page.locator("h1").inner_text()
    bo.go(room)
    ann.page.context.add_init_script(_UNSEEN)
    ann.go("/rooms/lobby/")
    ann.page.evaluate("localStorage.unseen = 'yes'")
    open_preferences(ann)
    ann.page.get_by_label("Notify me while").check()
    ann.page.wait_for_function("() => asked === 1")
    bo.say("not for her")
    ann.expect(ann.badge(room)).to_contain_text("1 unread")
    bo.say(f"where are you, @{ann.name}?")
    ann.page.wait_for_function("() => localStorage.shown?.includes('mentioned you')")
    ann.go(room)
    open_preferences(ann)
    ann.page.select_option("#preference-room", "all")
    ann.go("/rooms/lobby/")
    bo.say("now everything")
    ann.page.wait_for_function("() => localStorage.shown?.includes('There are new messages')")
    assert shown(ann) == [f"{bo.name} in {garden}: {bo.name} mentioned you", f"{garden}: There are new messages."]


def test_a_refusal_of_notifications_is_said(ann: Person, room: str) -> None:
    ann.page.context.add_init_script(f"localStorage.permission = 'denied'; {_UNSEEN}")
    ann.go(room)
    open_preferences(ann)
    ann.page.get_by_label("Notify me while").click()
    ann.expect("#notify-refused").to_be_visible()
    ann.expect(ann.page.get_by_label("Notify me while")).not_to_be_checked()
