"""The browser library on a page that is not the chat's: the example of docs/browser.md, against the real stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests import services
from tests.browser.person import Person
from tests.services import wait_for

pytestmark = [pytest.mark.system, pytest.mark.parametrize("stack", ["redis"], indirect=True)]

_EXAMPLE = (services.ROOT / "docs" / "examples" / "streams.html").read_text("utf-8")
_PATH = "/example/"
# The sockets that a tab has opened, and a way to cut and to mislead them.
_SOCKETS = """
globalThis.sockets = [];
globalThis.WebSocket = class extends WebSocket {
  constructor(address) {
    super(localStorage.astray ? `${address}nowhere/` : address);
    globalThis.sockets.push(this);
  }
};
globalThis.cut = () => sockets.filter(({ readyState }) => readyState < 2).forEach((socket) => {
  socket.dispatchEvent(new CloseEvent("close", { code: 1006 }));
  socket.close();
});
"""
_KEY = "JSON.parse(document.getElementById('config').textContent).identity.key"


class Visitor:
    """A guest with tabs in which the example is open, in a room of the test's own."""

    def __init__(self, person: Person, room: str, key: str) -> None:
        self.person = person
        self.name = person.name
        self.key = key
        self.context = person.page.context
        self.context.add_init_script(_SOCKETS)
        page = _EXAMPLE.replace('data-identity=""', f'data-identity="{key}"').replace(
            'join("lobby")', f'join("{room}")'
        )
        self.context.route(f"**{_PATH}", lambda route: route.fulfill(body=page, content_type="text/html"))
        # The page that they came in by would have a tab of its own.
        person.page.goto(_PATH)
        self.tabs = [person.page]

    def open(self) -> Any:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.person.problems.append(str(error)))
        page.goto(_PATH)
        self.tabs.append(page)
        return page

    def say(self, tab: Any, text: str) -> None:
        tab.fill("[name=body]", text)
        tab.press("[name=body]", "Enter")

    def sees(self, tab: Any, *texts: str) -> None:
        self.person.expect(tab.locator("#messages li")).to_have_text([f"{self.name}: {text}" for text in texts])

    def is_connected(self, tab: Any) -> None:
        self.person.expect(tab.locator("#state")).to_have_text("connected")

    def opened(self) -> list[int]:
        """Return how many sockets each tab has opened."""
        return [tab.evaluate("sockets.length") for tab in self.tabs]


@pytest.fixture
def visit(bo: Person, ann: Person, room: str) -> Callable[[bool], Visitor]:
    """A function that returns a guest who looks at the example; `shared`: the page says to whom it belongs."""

    def visit(shared: bool) -> Visitor:
        key = bo.page.evaluate(_KEY)
        return Visitor(bo, room.split("/")[2], key if shared else "")

    return visit


def test_the_example_talks_and_keeps_what_is_not_sent_over_a_reload(
    visit: Callable[[bool], Visitor], ann: Person
) -> None:
    bo = visit(False)
    [tab] = bo.tabs
    bo.say(tab, "one")
    bo.sees(tab, "one")
    ann.sees("one")
    tab.evaluate("localStorage.astray = 'yes'; cut()")
    bo.say(tab, "two")
    bo.say(tab, "three")
    ann.expect(tab.locator("#pending li")).to_have_text(["two (waiting)", "three (waiting)"])
    tab.reload()
    ann.expect(tab.locator("#pending li")).to_have_count(0)
    # Whose they are the page knows from the first welcome.
    tab.evaluate("localStorage.removeItem('astray')")
    tab.evaluate("dispatchEvent(new Event('online'))")
    bo.sees(tab, "one", "two", "three")
    ann.sees("three")
    assert ann.texts() == ["one", "two", "three"]
    tab.wait_for_function("() => !Object.keys(localStorage).some((name) => name.startsWith('streams:'))")


def test_tabs_share_a_socket_and_hand_it_over(visit: Callable[[bool], Visitor], ann: Person) -> None:
    bo = visit(True)
    first, second, third = bo.tabs[0], bo.open(), bo.open()
    for tab in bo.tabs:
        bo.is_connected(tab)
    assert bo.opened() == [1, 0, 0]
    bo.say(second, "one")
    for tab in bo.tabs:
        bo.sees(tab, "one")
    # A tab that is closed hands over, and what was said meanwhile is not lost.
    bo.tabs.remove(first)
    first.close()
    bo.say(third, "two")
    for tab in bo.tabs:
        bo.sees(tab, "one", "two")
    wait_for(lambda: sum(bo.opened()) == 1, "one of the two has the socket")
    ann.sees("two")
    # One that is going to be frozen does too; Chromium freezes only what nobody looks at, so it is told here.
    leader, other = sorted(bo.tabs, key=lambda tab: -tab.evaluate("sockets.length"))
    leader.evaluate("document.dispatchEvent(new Event('freeze'))")
    bo.say(other, "three")
    bo.sees(other, "one", "two", "three")
    leader.evaluate("document.dispatchEvent(new Event('resume'))")
    bo.sees(leader, "one", "two", "three")
    assert bo.opened() == [1, 1]


def test_a_tab_that_dies_leaves_its_messages_and_its_room(
    visit: Callable[[bool], Visitor], ann: Person, bo: Person
) -> None:
    guest = visit(True)
    first, second = guest.tabs[0], guest.open()
    guest.is_connected(second)
    first.evaluate("localStorage.astray = 'yes'; cut()")
    guest.say(first, "written in the first")
    ann.expect(first.locator("#pending li")).to_have_count(1)
    ann.expect(second.locator("#pending li")).to_have_count(0)
    guest.tabs.remove(first)
    first.close()
    ann.expect(second.locator("#pending li")).to_have_text(["written in the first (waiting)"])
    second.evaluate("localStorage.removeItem('astray')")
    second.evaluate("dispatchEvent(new Event('online'))")
    guest.sees(second, "written in the first")
    ann.sees("written in the first")
    assert ann.texts() == ["written in the first"]
    ann.expect("#people .person").to_have_count(2)
    second.goto("about:blank")
    ann.expect("#people .person").to_have_count(1)
