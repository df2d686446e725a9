"""The people of a room: roles, putting somebody out, invitations, direct conversations, slow mode."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.person import Person

pytestmark = [pytest.mark.system, pytest.mark.parametrize("stack", ["redis"], indirect=True)]


@pytest.fixture
def eve(somebody: Callable[..., Person], unique: Callable[[str], str]) -> Person:
    """Somebody else with an account."""
    person = somebody()
    person.sign_up(unique("eve"))
    return person


def choose(person: Person, whom: Person, item: str) -> None:
    """Open the menu of somebody in the list of people with the keyboard, and choose from it."""
    button = person.page.get_by_role("button", name=f"What to do with {whom.name}", exact=True)
    button.press("Enter")
    person.expect(button).to_have_attribute("aria-expanded", "true")
    chosen = person.page.get_by_role("menuitem", name=item, exact=True)
    for _ in range(person.page.get_by_role("menuitem").count()):
        if chosen.evaluate("item => item === document.activeElement"):
            break
        person.page.keyboard.press("ArrowDown")
    person.page.keyboard.press("Enter")
    person.expect(person.page.get_by_role("menu")).to_have_count(0)


def test_somebody_is_made_moderator_and_puts_others_out(ann: Person, bo: Person, eve: Person, room: str) -> None:
    for person in (bo, eve):
        person.go(room)
        person.mark()
    eve.expect("#settings-open").to_be_hidden()
    eve.expect(eve.page.get_by_role("button", name=f"What to do with {bo.name}")).to_have_count(0)
    choose(ann, eve, "Make a moderator")
    note = f'.person[data-key] >> text="{eve.name}"'
    ann.expect(ann.page.locator(note).locator("xpath=..").locator("[data-note]")).to_have_text("moderator")
    # At once, and without a reload.
    eve.expect("#settings-open").to_be_visible()
    choose(eve, bo, "Kick out of the room")
    eve.expect("#confirm").to_be_visible()
    eve.page.keyboard.press("Escape")
    eve.expect("#confirm").to_be_hidden()
    choose(eve, bo, "Kick out of the room")
    eve.page.click("#confirm-yes")
    bo.expect(".notice-error").to_contain_text("You were put out of this room")
    bo.expect("#composer-text").to_be_disabled()
    bo.page.click(".notice-error .link-button")
    bo.is_in_room()
    choose(eve, bo, "Ban…")
    eve.page.select_option("#ban-minutes", "10")
    eve.page.keyboard.press("Tab")
    eve.page.click("#ban button[value=yes]")
    bo.expect(".notice-error").to_contain_text("You were banned from this room")
    bo.expect("#composer-text").to_be_disabled()
    bo.expect(bo.page.locator(f'#rooms a[href="{room}"]')).to_have_count(0)
    assert bo.page.request.get(room).status == 404
    ann.page.click("#settings-open")
    ann.page.click("#bans summary")
    ann.expect("#bans li").to_contain_text(re.compile(f"{bo.name}.*until"))
    ann.page.click("#bans li button")
    ann.expect("#bans [role=status]").to_contain_text(f"{bo.name} may come back")
    bo.expect(bo.page.locator(f'#rooms a[href="{room}"]')).to_have_count(1)
    assert eve.was_never_reloaded()


def test_a_link_leads_into_a_private_room(ann: Person, eve: Person, room: str) -> None:
    ann.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ann.page.click("#settings-open")
    ann.page.check("#settings-private")
    ann.page.click("#settings-form .button:not(.button-quiet)")
    ann.expect("#settings").to_be_hidden()
    ann.page.reload()
    ann.is_in_room()
    ann.page.click("#settings-open")
    ann.page.click("#invitations summary")
    ann.page.select_option("#invitation-uses", "1")
    ann.page.get_by_role("button", name="New link").click()
    ann.expect("#invitations [role=status]").to_have_text("The link was copied.")
    ann.expect("#invitations [data-facts]").to_contain_text("for 1 person")
    link = ann.page.evaluate("navigator.clipboard.readText()")
    ann.page.keyboard.press("Escape")
    assert eve.page.request.get(room).status == 404
    eve.page.goto(link)
    eve.expect("main").to_contain_text(f"{ann.name} invites you")
    eve.page.get_by_role("button", name="Join the room").click()
    eve.is_in_room()
    ann.expect("#people").to_contain_text(eve.name)
    # Used up.
    assert ann.page.request.get(link).status == 404
    eve.go("/rooms/lobby/")
    ann.expect("#away").to_contain_text(eve.name)


def in_the_database(stack: Any, room: str, each: str, numbers: str) -> None:
    """Run *each* for every number: of a crowd, for whom the machine has no browsers."""
    found = f"room = Room.objects.get(slug={room.split('/')[2]!r})"
    stack.manage("shell", "-v0", "-c", f"from chat import presence\n{found}\nfor number in {numbers}:\n    {each}")


# By name after ann and before eve: the list ends at "crowd 298".
CROWD = "range(100, 303)"
COMES = "Client.objects.create(room=room, channel_name=f'{number}', key=f'gcrowd{number}', name=f'crowd {number}')"
GOES = "presence.leave(room, f'{number}')"


def test_more_people_than_are_listed_are_counted(ann: Person, bo: Person, room: str, stack: Any) -> None:
    more, listed = "#people-more", "#people .person"
    ann.expect(more).to_be_hidden()
    in_the_database(stack, room, COMES, CROWD)
    ann.go(room)
    ann.expect(listed).to_have_count(200)
    ann.expect(more).to_have_text("and 4 more")
    # Who comes is listed.
    bo.go(room)
    ann.expect(listed).to_have_count(201)
    ann.expect(more).to_have_text("and 4 more")
    # One who is listed goes, and one who is not.
    in_the_database(stack, room, GOES, "(100, 300)")
    ann.expect(listed).to_have_count(200)
    ann.expect(more).to_have_text("and 3 more")
    in_the_database(stack, room, GOES, "(299, 301, 302)")
    ann.expect(more).to_be_hidden()
    ann.expect(listed).to_have_count(200)


def test_nobody_is_said_to_be_away_who_may_be_here_unlisted(
    ann: Person, eve: Person, unique: Callable[[str], str], stack: Any
) -> None:
    room = ann.open_new_room(unique("Crowded "), private=True)
    ann.page.fill("#member-name", eve.name)
    ann.page.click("#add-member button")
    ann.expect("#member-note").to_contain_text(eve.name)
    eve.go(room)
    in_the_database(stack, room, COMES, CROWD)
    ann.go(room)
    ann.expect("#people-more").to_have_text("and 5 more")
    # The page has heard who the members are.
    ann.expect(ann.page.locator("#people [data-note]").first).to_have_text("you, owner")
    ann.expect("#away .person").to_have_count(0)
    eve.page.goto("/")
    in_the_database(stack, room, GOES, "range(299, 303)")
    ann.expect("#people-more").to_be_hidden()
    ann.expect("#away .person").to_contain_text(eve.name)


def test_two_people_talk_directly(ann: Person, eve: Person, room: str) -> None:
    eve.go(room)
    eve.expect("#direct-section").to_be_hidden()
    choose(ann, eve, "Message directly")
    ann.page.wait_for_url(re.compile("/rooms/direct-"))
    ann.is_in_room()
    ann.expect("#room-name").to_have_text(eve.name)
    ann.expect("#settings-open").to_have_count(0)
    ann.say("psst")
    conversation = eve.page.locator("#direct a")
    eve.expect(conversation).to_contain_text(ann.name)
    eve.expect(conversation.locator("[data-unread] [data-count]")).to_have_text("1")
    conversation.click()
    eve.is_in_room()
    eve.sees("psst")
    eve.expect(eve.page).to_have_title(re.compile(ann.name))


def test_slow_mode_counts_down_and_sends_later(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    bo.expect("#slow").to_be_hidden()
    ann.page.click("#settings-open")
    ann.page.select_option("#settings-slow", "5")
    ann.page.click("#settings-form .button:not(.button-quiet)")
    bo.expect("#slow").to_contain_text("Slow mode: one message every 5 s")
    ann.expect("#slow").to_be_hidden()
    bo.say("one")
    bo.sees("one")
    bo.expect("#slow").to_contain_text("the next message in")
    bo.say("two")
    bo.expect(".message-pending").to_contain_text("two")
    # It goes out by itself as soon as it may.
    bo.sees("two")
    ann.sees("two")


def test_deleting_a_room_asks_first(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    ann.page.click("#settings-open")
    ann.page.click("#room-delete")
    ann.expect("#confirm-text").to_contain_text("cannot be undone")
    ann.page.click("#confirm-yes")
    ann.page.wait_for_url(lambda url: url.endswith("/"))
    bo.expect(".notice-error").to_contain_text("This room was deleted")
    bo.expect("#composer-text").to_be_disabled()
