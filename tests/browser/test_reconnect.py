"""Restarts behind the page, and what it does about lost connections."""

from __future__ import annotations

import re
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


def test_after_a_lost_connection_the_page_catches_up_by_itself(ann: Person, bo: Person, room: str, stack: Any) -> None:
    bo.go(room)
    bo.say("before")
    ann.sees("before")
    for person in (ann, bo):
        person.mark()
    stack.supervisorctl("stop", "daphne:*")
    ann.expect("#state [data-shown]").to_have_text(re.compile(r"^Reconnecting in \d+ s$"))
    ann.expect("#state [data-spoken]").to_have_text("Disconnected, reconnecting")
    ann.expect("#retry").to_be_visible()
    # What cannot be sent stays in the box.
    ann.say("too early")
    ann.expect("#errors").to_contain_text("no connection")
    assert ann.page.input_value("#composer-text") == "too early"
    stack.supervisorctl("start", "daphne:*")
    for person in (ann, bo):
        person.is_in_room()
    ann.page.press("#composer-text", "Enter")
    bo.sees("too early")
    assert bo.texts() == ["before", "too early"]
    assert ann.was_never_reloaded()
    assert bo.was_never_reloaded()
    stack.wait_running()


def test_somebody_disconnected_by_an_administrator_stays_away(ann: Person, room: str, stack: Any) -> None:
    stack.manage("disconnect", "--user", ann.name)
    ann.expect("#state").to_have_attribute("data-state", "closed")
    ann.expect("#state [data-shown]").to_have_text("An administrator disconnected you")
    ann.page.wait_for_timeout(3_000)
    ann.expect("#state").to_have_attribute("data-state", "closed")


def test_signing_out_in_another_tab_closes_this_one(ann: Person, room: str) -> None:
    other = ann.page.context.new_page()
    other.goto(room)
    other.click(".me button")
    ann.expect("#state").to_have_attribute("data-state", "closed")
    ann.expect("#state [data-shown]").to_have_text("Signed out, or no longer allowed here")
