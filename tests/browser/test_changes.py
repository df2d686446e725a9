"""Messages that are edited, removed, and that mention people; what is unread on one's other devices."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.person import Person

pytestmark = [pytest.mark.system, pytest.mark.parametrize("stack", ["redis"], indirect=True)]


def open_menu(person: Person, text: str) -> None:
    person.message(text).hover()
    person.message(text).get_by_role("button", name=re.compile("^Actions")).click()


def choose(person: Person, text: str, action: str) -> None:
    open_menu(person, text)
    person.page.get_by_role("menuitem", name=action).click()


def test_an_edit_is_live_for_everybody_and_marked(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    ann.say("frist")
    ann.sees("frist")
    choose(ann, "frist", "Edit")
    ann.expect(".editor textarea").to_be_focused()
    ann.page.fill(".editor textarea", "not this")
    ann.page.keyboard.press("Escape")
    ann.sees("frist")
    # An empty box, and the arrow up.
    ann.page.focus("#composer-text")
    ann.page.keyboard.press("ArrowUp")
    ann.page.fill(".editor textarea", "first")
    ann.page.keyboard.press("Enter")
    for person in (ann, bo):
        person.sees("first")
        person.expect(person.message("first").locator(".edited")).to_have_text("edited")
    ann.expect("#composer-text").to_be_focused()
    ann.page.reload()
    ann.expect(ann.message("first").locator(".edited")).to_have_count(1)


def test_who_was_away_sees_what_was_edited_meanwhile(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    ann.say("before")
    for person in (ann, bo):
        person.sees("before")
    bo.page.context.set_offline(True)
    bo.page.evaluate("dispatchEvent(new Event('offline'))")
    ann.page.focus("#composer-text")
    ann.page.keyboard.press("ArrowUp")
    ann.page.fill(".editor textarea", "after")
    ann.page.keyboard.press("Enter")
    ann.sees("after")
    bo.page.context.set_offline(False)
    bo.page.evaluate("dispatchEvent(new Event('online'))")
    bo.sees("after")


def test_removing_asks_first_and_is_for_those_who_may(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    ann.say("oops")
    bo.sees("oops")
    bo.say("spam")
    ann.sees("spam")
    open_menu(bo, "oops")
    bo.expect(bo.page.get_by_role("menuitem")).to_have_text(["Copy link"])
    bo.page.keyboard.press("Escape")
    choose(ann, "oops", "Remove")
    ann.page.get_by_role("button", name="Cancel").click()
    ann.sees("oops")
    for text in ("oops", "spam"):
        choose(ann, text, "Remove")
        ann.page.locator("#confirm").get_by_role("button", name="Remove").click()
        ann.expect(ann.message(text)).to_have_count(0)
    for person in (ann, bo):
        person.expect(".message-removed .bubble").to_have_text(["This message was removed."] * 2)


def test_the_menu_is_reached_by_keys_alone(ann: Person, room: str) -> None:
    for text in ("one", "two"):
        ann.say(text)
    ann.sees("two")
    ann.page.focus("#log")
    ann.page.keyboard.press("Tab")
    button = ann.page.get_by_role("button", name=re.compile("^Actions"))
    ann.expect(button).to_be_focused()
    ann.page.keyboard.press("ArrowUp")
    ann.expect(button).to_have_attribute("aria-label", re.compile("one$"))
    ann.page.keyboard.press("Enter")
    ann.expect(ann.page.get_by_role("menuitem", name="Edit")).to_be_focused()
    ann.page.keyboard.press("Enter")
    ann.page.keyboard.press("End")
    ann.page.keyboard.type("!")
    ann.page.keyboard.press("Enter")
    ann.sees("one!")


def test_people_are_mentioned_by_choosing_them(
    somebody: Callable[..., Person], unique: Callable[[str], str], ann: Person, room: str
) -> None:
    cleo = somebody()
    cleo.sign_up(unique("cleo"))
    cleo.go(room)
    ann.expect("#people .person").to_have_count(2)
    cleo.page.goto("/rooms/lobby/")
    cleo.is_in_room()
    text = ann.page.locator("#composer-text")
    text.press_sequentially("hey @cl")
    option = ann.page.get_by_role("option", name=cleo.name)
    ann.expect(option).to_have_attribute("aria-selected", "true")
    ann.expect(text).to_have_attribute("aria-activedescendant", "mention-0")
    text.press("Escape")
    ann.expect(ann.page.get_by_role("option")).to_have_count(0)
    text.press_sequentially("e")
    text.press("Enter")
    ann.expect(text).to_have_value(f"hey @{cleo.name} ")
    text.press("Enter")
    ann.expect(ann.page.locator(".mention")).to_have_text(f"@{cleo.name}")
    badge = cleo.page.locator(f'#rooms a[href="{room}"] [data-mentions]')
    cleo.expect(badge).to_contain_text("@1")
    # The mention and the last number come apart.
    cleo.page.wait_for_function(r"() => /^\(\d+ @1\)/.test(document.title)")
    cleo.go(room)
    cleo.expect(".message-mentions-me .mention-own").to_have_text(f"@{cleo.name}")
    cleo.expect(badge).to_be_hidden()


def test_what_is_read_on_one_device_is_read_on_the_other(
    somebody: Callable[..., Person], ann: Person, bo: Person, room: str
) -> None:
    phone = somebody()
    phone.sign_in(ann.name)
    phone.go("/rooms/lobby/")
    ann.page.goto("/rooms/lobby/")
    bo.go(room)
    bo.say(f"hello @{ann.name}")
    phone.expect(phone.badge(room)).to_be_visible()
    phone.expect(phone.page.locator(f'#rooms a[href="{room}"] [data-mentions]')).to_be_visible()
    ann.go(room)
    phone.expect(phone.badge(room)).to_be_hidden()
    phone.expect(phone.page.locator(f'#rooms a[href="{room}"] [data-mentions]')).to_be_hidden()
    phone.page.wait_for_function("() => !document.title.startsWith('(')")


def open_search(person: Person, keys: str, query: str) -> Any:
    person.page.keyboard.press(keys)
    person.expect("#search-text").to_be_focused()
    person.page.locator("#search-text").press_sequentially(query)
    return person.page.locator("#search-results .found")


def test_a_search_leads_to_the_message_in_another_room(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    bo.say("the 水壶 kettle is on")
    bo.sees("the 水壶 kettle is on")
    other = ann.open_new_room("Another " + room.strip("/").split("/")[-1])
    ann.page.focus("#log")
    found = open_search(ann, "/", "水壶 kett")
    ann.expect(found).to_have_count(1)
    ann.expect(found.locator("mark")).to_have_text(["水壶", "kett"])
    ann.page.keyboard.press("ArrowDown")
    ann.page.keyboard.press("Enter")
    ann.page.wait_for_url(lambda url: url.endswith(f"{room}#1"))
    ann.expect(ann.message("the 水壶 kettle is on")).to_have_attribute("aria-current", "true")
    ann.go(other)
    found = open_search(ann, "Control+k", "no such words")
    ann.expect("#search-status").to_have_text("Nothing found.")


def test_a_message_far_above_is_loaded_and_pointed_at(ann: Person, room: str) -> None:
    ann.page.evaluate(
        """async (room) => {
            const { csrfToken } = await import("/static/chat/js/config.js");
            for (let number = 1; number <= 130; number += 1) {
                const body = new URLSearchParams({ body: `line ${number}`, csrfmiddlewaretoken: csrfToken() });
                await fetch(`${room}messages/`, { method: "POST", body });
            }
        }""",
        room,
    )
    ann.sees("line 130")
    ann.page.goto("/rooms/lobby/")
    ann.go(f"{room}#7")
    ann.expect(ann.message("line 7")).to_be_in_viewport()
    ann.expect(ann.message("line 7")).to_have_attribute("aria-current", "true")
    # The same in the room itself. Other tests have rooms with such lines too.
    open_search(ann, "Control+k", "line 9 ")
    ann.page.locator(f"#search-results .found[href='{room}#9']").click()
    ann.expect(ann.message("line 9")).to_be_in_viewport()
