"""What the page does when the server says beforehand that it closes."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest

from tests.browser.person import Person
from tests.services import TIMEOUT_SCALE, wait_for

# Stock Daphne gives no advice.
pytestmark = [pytest.mark.system, pytest.mark.parametrize("stack", ["redis"], indirect=True)]

_COMING_BACK = re.compile(r"^The server restarts, back in \d s$")
# The sockets of a page, a way to lead new ones astray, and when the line at its foot said what.
_WATCH = """
globalThis.sockets = [];
globalThis.states = [];
globalThis.WebSocket = class extends WebSocket {
  constructor(address) {
    super(globalThis.astray ? `${address}nowhere/` : address);
    globalThis.sockets.push(this);
  }
};
addEventListener("DOMContentLoaded", () => {
  const line = document.getElementById("state");
  new MutationObserver(() => {
    if (states.at(-1)?.name !== line.dataset.state) {
      states.push({ name: line.dataset.state, at: Date.now() });
    }
  }).observe(line, { attributes: true });
});
"""


def _watched(person: Person, room: str, *, draws: float) -> None:
    """Let the page note its sockets and states; whenever it draws lots, it gets *draws*."""
    person.page.add_init_script(f"{_WATCH}; Math.random = () => {draws};")
    person.go(room)
    person.mark()


def _waits(person: Person) -> list[float]:
    """Return for how many seconds the page waited, each time that it did."""
    states = person.page.evaluate("states")
    return [
        (later["at"] - state["at"]) / 1000 for state, later in itertools.pairwise(states) if state["name"] == "waiting"
    ]


def _is_waiting(person: Person) -> bool:
    return person.page.locator("#state").get_attribute("data-state") == "waiting"


def _advise(person: Person, **advice: Any) -> None:
    """As if the server said so and closed."""
    data = json.dumps({"stream": "system", "payload": {"type": "disconnect", **advice}})
    person.page.evaluate(
        """data => {
          const socket = sockets.at(-1);
          socket.dispatchEvent(new MessageEvent("message", { data }));
          socket.dispatchEvent(new CloseEvent("close", { code: 1012 }));
        }""",
        data,
    )


def test_a_rolling_restart_is_announced_and_passes_unnoticed_otherwise(
    ann: Person, bo: Person, room: str, stack: Any
) -> None:
    _watched(bo, room, draws=0)
    bo.say("before")
    _watched(ann, room, draws=0.999)
    ann.sees("before")
    told = False
    for name in ("daphne:daphne_00", "daphne:daphne_01"):
        old = stack.pids()[name]
        stack.supervisorctl("signal", "TERM", name)
        wait_for(lambda old=old: _is_waiting(ann) or old not in stack.children(), "it has sent its sockets away")
        if _is_waiting(ann) and not told:
            told = True
            ann.expect("#state [data-shown]").to_have_text(_COMING_BACK)
            ann.expect("#state [data-spoken]").to_have_text("The server restarts. This page comes back by itself.")
            ann.expect("#errors").to_be_empty()
            # By now he is back, if he was on the same process.
            bo.is_in_room()
            bo.say("meanwhile")
            bo.sees("meanwhile")
        stack.wait_running()
        ann.is_in_room()
        bo.is_in_room()
    assert told
    ann.sees("meanwhile")
    ann.say("after")
    bo.sees("after")
    assert ann.texts() == bo.texts() == ["before", "meanwhile", "after"]
    for person, seconds in ((ann, 5), (bo, 0.5)):
        person.expect("#errors").to_be_empty()
        assert person.was_never_reloaded()
        # RECONNECT_AFTER, and what a timer may be late.
        assert all(seconds - 0.1 < wait < seconds + TIMEOUT_SCALE for wait in _waits(person)), _waits(person)
    assert _waits(ann)


def test_the_advised_moment_holds_and_only_once(ann: Person, room: str) -> None:
    _watched(ann, room, draws=0.5)
    ann.page.evaluate("astray = true")
    _advise(ann, reconnect=True, after_ms=[1000, 2000])
    ann.expect("#state [data-shown]").to_have_text(_COMING_BACK)
    # What makes a page try at once otherwise would bring everybody back together.
    ann.page.evaluate("dispatchEvent(new Event('online'))")
    ann.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert _is_waiting(ann)
    ann.expect("#state [data-shown]").to_have_text(re.compile(r"^Reconnecting in \d+ s$"))
    ann.page.evaluate("astray = false")
    ann.is_in_room()
    first, second = _waits(ann)
    assert 1.4 < first < 1.5 + TIMEOUT_SCALE
    # As after any other failure: from half a second to two.
    assert 1.15 < second < 1.25 + TIMEOUT_SCALE


def test_who_is_not_wanted_back_stays_away(ann: Person, room: str) -> None:
    _watched(ann, room, draws=0.5)
    _advise(ann, reconnect=False)
    ann.expect("#state").to_have_attribute("data-state", "closed")
    ann.expect("#state [data-shown]").to_have_text("The server has closed and asks to stay away")
    ann.page.evaluate("dispatchEvent(new Event('online'))")
    assert ann.page.evaluate("sockets.length") == 1
    ann.expect("#retry").to_have_text("Try now")
    ann.page.click("#retry")
    ann.is_in_room()


def test_without_advice_the_page_comes_back_as_from_any_loss(ann: Person, room: str) -> None:
    _watched(ann, room, draws=0)
    ann.page.evaluate("sockets[0].dispatchEvent(new CloseEvent('close', { code: 1012 }))")
    ann.expect("#state [data-spoken]").to_have_text("Disconnected, reconnecting")
    ann.is_in_room()
