"""The list of rooms: unread counts, rooms that come and change, private rooms."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.person import Person

pytestmark = [pytest.mark.system, pytest.mark.parametrize("stack", ["redis"], indirect=True)]


def test_unread_messages_are_counted_until_they_are_read(ann: Person, bo: Person, room: str) -> None:
    ann.go("/rooms/lobby/")
    bo.go(room)
    bo.say("one")
    bo.say("two")
    ann.expect(ann.badge(room).locator("[data-count]")).to_have_text("2")
    ann.expect(ann.badge(room).locator("[data-spoken]")).to_have_text(", 2 unread messages")
    ann.expect(ann.page).to_have_title(re.compile(r"^\(\d+\) "))
    # The server knows as well.
    ann.page.reload()
    ann.expect(ann.badge(room).locator("[data-count]")).to_have_text("2")
    with ann.page.expect_response(lambda response: response.url.endswith("/read/")) as answered:
        ann.go(room)
    assert answered.value.status == 204
    ann.expect(ann.badge(room)).to_be_hidden()
    ann.go("/rooms/lobby/")
    ann.expect(ann.badge(room)).to_be_hidden()


def test_the_browser_counts_for_guests(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    bo.go("/rooms/lobby/")
    ann.say("one")
    bo.expect(bo.badge(room).locator("[data-count]")).to_have_text("1")
    bo.page.reload()
    bo.expect(bo.badge(room).locator("[data-count]")).to_have_text("1")
    bo.go(room)
    bo.expect(bo.badge(room)).to_be_hidden()


def test_rooms_come_and_change_without_a_reload(ann: Person, bo: Person, unique: Callable[[str], str]) -> None:
    bo.mark()
    name, other = unique("Attic "), unique("Cellar ")
    path = ann.open_new_room(name)
    bo.expect(bo.page.locator("#rooms").get_by_text(name, exact=True)).to_be_visible()
    bo.page.click(f'#rooms a[href="{path}"]')
    bo.is_in_room()
    bo.mark()
    ann.page.click("#settings-open")
    ann.page.fill("#settings-name", other)
    ann.page.fill("#settings-topic", "What is down there?")
    ann.page.keyboard.press("Enter")
    ann.expect("#settings").to_be_hidden()
    for person in (ann, bo):
        person.expect("#room-name").to_have_text(other)
        person.expect("#room-topic").to_have_text("What is down there?")
        person.expect(person.page.locator("#rooms").get_by_text(other, exact=True)).to_be_visible()
        person.expect(person.page).to_have_title(re.compile(other))
    assert bo.was_never_reloaded()


def test_a_name_that_is_refused_says_why(ann: Person, room: str) -> None:
    ann.page.click("#settings-open")
    # A space that is no character of its own: the browser lets it pass.
    ann.page.fill("#settings-name", "\u200b")
    ann.page.keyboard.press("Enter")
    ann.expect("#settings-error").to_contain_text("required")
    ann.page.keyboard.press("Escape")
    ann.expect("#settings").to_be_hidden()


def test_who_is_let_into_a_private_room_sees_it_at_once(
    ann: Person, somebody: Callable[..., Person], unique: Callable[[str], str]
) -> None:
    owen = somebody()
    owen.sign_up(unique("owen"))
    owen.mark()
    name = unique("Board ")
    path = ann.open_new_room(name, private=True)
    answer = owen.page.request.get(path)
    assert answer.status == 404
    ann.page.fill("#member-name", "nobody-of-this-name")
    ann.page.keyboard.press("Enter")
    ann.expect("#member-note").to_contain_text("nobody-of-this-name")
    ann.page.fill("#member-name", owen.name)
    ann.page.keyboard.press("Enter")
    ann.expect("#member-note").to_contain_text(f"{owen.name} may enter now")
    link = owen.page.locator(f'#rooms a[href="{path}"]')
    owen.expect(link).to_contain_text("Private:")
    assert owen.was_never_reloaded()
    link.click()
    owen.is_in_room()
    ann.say("Welcome")
    owen.sees("Welcome")


def test_an_announcement_is_shown_until_it_is_dismissed(ann: Person, stack: Any) -> None:
    ann.go("/rooms/lobby/")
    stack.manage("announce", "<b>Tea</b> at five")
    ann.expect(".announcement").to_contain_text("<b>Tea</b> at five")
    ann.page.click(".announcement button")
    ann.expect(".announcement").to_have_count(0)


def test_a_room_without_messages_says_so(ann: Person, room: str) -> None:
    ann.expect("#log-empty").to_be_visible()
    ann.say("first")
    ann.sees("first")
    ann.expect("#log-empty").to_be_hidden()
