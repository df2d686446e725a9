"""People in one room: what one says, the others see."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.browser.person import Person

pytestmark = pytest.mark.system


def test_two_people_see_what_the_other_says(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    ann.say("Is anybody here?")
    bo.sees("Is anybody here?")
    bo.say("I am.")
    ann.sees("I am.")
    ann.expect(ann.message("I am.").locator(".author")).to_have_text(bo.name)
    own = re.compile(r"\bmessage-own\b")
    ann.expect(ann.message("Is anybody here?")).to_have_class(own)
    ann.expect(ann.message("I am.")).not_to_have_class(own)
    ann.expect(ann.message("I am.").locator(".guest-tag")).to_be_visible()


def test_who_is_here_is_live(ann: Person, bo: Person, room: str) -> None:
    ann.expect("#people .person").to_have_count(1)
    bo.go(room)
    ann.expect("#people .person").to_have_count(2)
    ann.expect(ann.page.locator("#people").get_by_text(bo.name, exact=True)).to_be_visible()
    bo.page.goto("/")
    ann.expect("#people .person").to_have_count(1)


def test_messages_come_once_and_in_order(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    said = [f"line {number}" for number in range(12)]
    for text in said:
        ann.say(text)
    bo.sees(said[-1])
    ann.sees(said[-1])
    assert bo.texts() == said
    assert ann.texts() == said


def test_markup_in_a_message_is_text(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    body = "<img src=x onerror=\"document.title='broken in'\"><b>bold</b> {{ 7*7 }}"
    ann.say(body)
    bo.sees(body)
    assert bo.page.locator(".bubble img, .bubble b").count() == 0
    assert "broken in" not in bo.page.title()


def test_markup_in_names_is_text(somebody: Callable[..., Person], ann: Person) -> None:
    name = "</script><script>document.title='broken in'</script>"
    path = ann.open_new_room(name)
    guest = somebody()
    guest.enter_as_guest("<i>Eve</i>", path)
    guest.say("hello")
    ann.sees("hello")
    ann.expect(ann.message("hello").locator(".author")).to_have_text("<i>Eve</i>")
    for person in (ann, guest):
        person.expect("#room-name").to_have_text(name)
        assert not person.page.title().startswith("broken in")


def test_addresses_are_links_and_nothing_else_is(ann: Person, room: str) -> None:
    ann.say("see https://example.org/a?b=c. And javascript:alert(1)")
    link = ann.page.locator(".bubble a")
    ann.expect(link).to_have_count(1)
    assert link.get_attribute("href") == "https://example.org/a?b=c"
    assert "noopener" in (link.get_attribute("rel") or "")


def test_lines_of_one_author_stand_together(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    ann.say("one")
    ann.say("two")
    bo.sees("two")
    bo.say("three")
    ann.sees("three")
    continued = [
        "message-continued" in (item.get_attribute("class") or "") for item in ann.page.locator(".message").all()
    ]
    assert continued == [False, True, False]


def test_who_reads_above_is_told_of_new_messages_and_not_moved(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    for number in range(40):
        ann.say(f"line {number}")
    bo.sees("line 39")
    bo.page.evaluate("document.getElementById('log').scrollTop = 0")
    bo.page.wait_for_timeout(100)
    ann.say("and another")
    bo.expect("#newer").to_have_text("1 new message ↓")
    assert bo.page.evaluate("document.getElementById('log').scrollTop") == 0
    bo.page.click("#newer")
    bo.expect("#newer").to_be_hidden()
    bo.expect(bo.message("and another")).to_be_in_viewport()


def test_a_refused_message_says_why_and_is_not_lost(ann: Person, room: str) -> None:
    ann.page.fill("#composer-text", "x" * 4001)
    ann.expect("#left").to_have_text("-1")
    ann.page.press("#composer-text", "Enter")
    ann.expect("#errors").to_contain_text("too long by 1 character")
    assert ann.page.input_value("#composer-text") == "x" * 4001
