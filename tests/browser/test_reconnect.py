"""Restarts behind the page, and what it does about lost connections."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.person import Person

pytestmark = pytest.mark.system


def test_a_restart_of_the_workers_leaves_the_socket_open(ann: Person, bo: Person, room: str, stack: Any) -> None:
    bo.go(room)
    for person in (ann, bo):
        person.mark()
    ann.page.evaluate(
        """window.states = [];
        new MutationObserver(() => window.states.push(document.getElementById("state").dataset.state))
            .observe(document.getElementById("state"), { attributes: true });"""
    )
    stack.supervisorctl("restart", "workers:*")
    ann.say("Still there?")
    bo.sees("Still there?")
    bo.say("Yes.")
    ann.sees("Yes.")
    assert set(ann.page.evaluate("window.states")) <= {"connected"}
    assert ann.was_never_reloaded()
    assert bo.was_never_reloaded()
    stack.wait_running()


def test_after_a_lost_connection_the_page_catches_up_by_itself(
    ann: Person, bo: Person, room: str, stack: Any, unique: Callable[[str], str]
) -> None:
    name = unique("Made meanwhile ")
    bo.go(room)
    bo.say("before")
    ann.sees("before")
    for person in (ann, bo):
        person.mark()
    stack.supervisorctl("stop", "daphne:*")
    ann.expect("#state [data-shown]").to_have_text(re.compile(r"^Reconnecting in \d+ s$"))
    ann.expect("#state [data-spoken]").to_have_text("Disconnected, reconnecting")
    ann.expect("#retry").to_be_visible()
    stack.manage("shell", "-c", f"from chat.models import Room; Room.objects.create(name={name!r})")
    ann.say("too early")
    ann.expect(".message-pending .message-note").to_have_text("Will be sent when the connection is back")
    stack.supervisorctl("start", "daphne:*")
    for person in (ann, bo):
        person.is_in_room()
        person.expect(person.page.locator("#rooms").get_by_text(name, exact=True)).to_be_visible()
    bo.sees("too early")
    ann.sees("too early")
    assert bo.texts() == ["before", "too early"]
    assert ann.was_never_reloaded()
    assert bo.was_never_reloaded()
    stack.wait_running()


def test_somebody_disconnected_by_an_administrator_stays_away(ann: Person, room: str, stack: Any) -> None:
    stack.manage("disconnect", "--user", ann.name)
    ann.expect("#state").to_have_attribute("data-state", "closed")
    ann.expect("#state [data-shown]").to_have_text("An administrator disconnected you")
    # A network that comes back is no reason to return either.
    ann.page.evaluate("dispatchEvent(new Event('online'))")
    ann.page.wait_for_timeout(3_000)
    ann.expect("#state").to_have_attribute("data-state", "closed")


def test_signing_out_in_another_tab_closes_this_one(ann: Person, room: str) -> None:
    other = ann.page.context.new_page()
    other.goto(room)
    other.click(".me button")
    ann.expect("#state").to_have_attribute("data-state", "closed")
    ann.expect("#state [data-shown]").to_have_text("Signed out, or no longer allowed here")
    ann.page.click("#retry")
    ann.expect("#guest-name").to_be_visible()


# The sockets of a page, and a way to lead new ones astray.
_SOCKETS = """
globalThis.sockets = [];
globalThis.WebSocket = class extends WebSocket {
  constructor(address) {
    super(globalThis.astray ? `${address}nowhere/` : address);
    globalThis.sockets.push(this);
  }
};
"""


def test_who_has_become_somebody_else_gets_a_page_of_their_own(bo: Person, unique: Callable[[str], str]) -> None:
    """The line breaks after they signed in in another tab: what comes back is not the guest of this page."""
    name = unique("eve")
    bo.page.add_init_script(_SOCKETS)
    bo.go("/rooms/lobby/")
    Person(bo.page.context.new_page()).sign_up(name)
    bo.page.evaluate("sockets[0].dispatchEvent(new CloseEvent('close', { code: 1006 }))")
    bo.expect(".me-name strong").to_have_text(name)


def test_handshakes_refused_again_and_again_are_explained(ann: Person, room: str) -> None:
    ann.page.add_init_script(_SOCKETS)
    ann.go(room)
    ann.page.evaluate("astray = true; sockets[0].dispatchEvent(new CloseEvent('close', { code: 1006 }))")
    ann.expect("#errors").to_be_empty()
    for _attempt in range(3):
        ann.expect("#state").to_have_attribute("data-state", "waiting")
        ann.page.click("#retry")
    ann.expect("#errors").to_contain_text("The server cannot be reached, or has signed you out.")
    ann.page.evaluate("astray = false")
    ann.page.click("#retry")
    ann.is_in_room()
    ann.expect("#errors").to_be_empty()
