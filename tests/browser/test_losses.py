"""Frames that get lost or come in the wrong order: everybody reads every message once and in order all the same."""

from __future__ import annotations

import pytest

from tests.browser.person import Person
from tests.images import png

pytestmark = [pytest.mark.system, pytest.mark.parametrize("stack", ["redis"], indirect=True)]

# Stands before the page's scripts, and before their listeners: what is stopped here they never see.
_LOSSY = """
{
  const lost = { incoming: 0, outgoing: 0 };
  const loses = (direction, most, test, text) => {
    const { stream, payload } = JSON.parse(text);
    const gone = !globalThis.lossless && lost[direction] < most && test(stream, payload);
    lost[direction] += gone;
    return gone;
  };
  globalThis.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", (event) => {
        if (loses("incoming", MOST, (stream, payload) => INCOMING, event.data)) event.stopImmediatePropagation();
      });
    }
    send(text) {
      if (!loses("outgoing", MOST, (stream, payload) => OUTGOING, text)) super.send(text);
    }
  };
}
"""


def open_lossy(person: Person, room: str, *, incoming: str = "false", outgoing: str = "false", most: int = 99) -> None:
    """Open *room* over a line that loses the frames for which an expression of `stream` and `payload` is true."""
    script = _LOSSY.replace("MOST", str(most)).replace("INCOMING", incoming).replace("OUTGOING", outgoing)
    person.page.add_init_script(script)
    person.go(room)


def message(*bodies: str) -> str:
    return f"payload.type === 'message' && {list(bodies)}.includes(payload.body)"


def test_a_hole_is_filled_when_the_next_message_comes(ann: Person, bo: Person, room: str) -> None:
    open_lossy(bo, room, incoming=message("two", "three"))
    for text in ("one", "two", "three", "four"):
        ann.say(text)
    bo.sees("four")
    bo.sees("two")
    assert bo.texts() == ["one", "two", "three", "four"]


def test_a_lost_last_message_is_asked_for(ann: Person, bo: Person, room: str) -> None:
    open_lossy(bo, room, incoming=message("the end"))
    ann.say("the end")
    bo.sees("the end")


def test_a_message_is_stored_once_though_it_is_sent_twice(ann: Person, bo: Person, room: str) -> None:
    """Neither the answer nor the message itself comes back, so the page sends it again; the server knows its name."""
    bo.go(room)
    open_lossy(ann, room, incoming=f"payload.type === 'ack' || {message('hello')}", most=2)
    ann.say("hello")
    ann.expect(".message-pending").to_have_count(1)
    bo.sees("hello")
    ann.sees("hello")
    ann.say("again")
    bo.sees("again")
    assert bo.texts() == ["hello", "again"]
    assert ann.texts() == ["hello", "again"]


def test_a_lost_frame_of_ours_is_sent_again(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    open_lossy(ann, room, outgoing="payload.type === 'send'", most=1)
    ann.say("hello")
    ann.expect(".message-pending").to_have_count(1)
    bo.sees("hello")
    ann.sees("hello")
    ann.expect(".message-pending").to_have_count(0)


def test_a_message_that_nobody_answers_can_be_tried_again_or_discarded(ann: Person, room: str) -> None:
    ann.page.clock.install()
    open_lossy(ann, room, outgoing="payload.type === 'send'")
    ann.say("one")
    ann.say("two")
    ann.expect(".message-pending").to_have_count(2)
    for failed in (1, 2):
        # One after the other, so that they stay in order.
        ann.page.clock.run_for(25_000)
        ann.expect(".message-failed").to_have_count(failed)
    ann.expect(ann.page.locator(".message-note").first).to_contain_text("Not sent: The server does not answer.")
    ann.page.evaluate("globalThis.lossless = true")
    ann.page.locator(".message-failed", has_text="one").get_by_role("button", name="Try again").click()
    ann.sees("one")
    ann.page.locator(".message-failed", has_text="two").get_by_role("button", name="Discard").click()
    ann.expect(".message-failed").to_have_count(0)
    assert ann.texts() == ["one"]


def test_who_cannot_be_brought_up_to_date_begins_anew(ann: Person, room: str) -> None:
    """An answer without recovery replaces all that is on the page, so that no hole can stay in it."""
    ann.page.add_init_script(
        """globalThis.WebSocket = class extends WebSocket {
            send(text) {
                globalThis.breakLine = () => {
                    this.dispatchEvent(new CloseEvent("close", { code: 1006 }));
                    this.close();
                };
                super.send(text.replace(/"epoch":"[^"]*"/, '"epoch":"another"'));
            }
        };"""
    )
    ann.go(room)
    ann.say("kept")
    ann.sees("kept")
    ann.page.evaluate("document.querySelector('.message').dataset.old = ''; breakLine()")
    ann.expect("[data-old]").to_have_count(0)
    ann.sees("kept")


def test_a_connection_on_which_nothing_comes_is_given_up(ann: Person, room: str) -> None:
    ann.page.add_init_script("globalThis.lossless = true")
    ann.page.clock.install()
    open_lossy(ann, room, incoming="true")
    ann.page.evaluate("globalThis.lossless = false")
    # Heartbeats of 25 seconds: two may go unanswered.
    ann.page.clock.run_for(60_000)
    ann.expect("#state").to_have_attribute("data-state", "connected")
    ann.page.clock.run_for(20_000)
    ann.expect("#state").not_to_have_attribute("data-state", "connected")
    ann.page.evaluate("globalThis.lossless = true")
    ann.page.clock.run_for(40_000)
    ann.is_in_room()


def test_a_thumbnail_that_overtakes_its_message_is_not_forgotten(ann: Person, bo: Person, room: str) -> None:
    bo.page.add_init_script(
        """globalThis.WebSocket = class extends WebSocket {
            constructor(...args) {
                super(...args);
                this.held = [];
                this.addEventListener("message", (event) => {
                    const { type } = JSON.parse(event.data).payload;
                    if (type === "message" && event.isTrusted) {
                        event.stopImmediatePropagation();
                        this.held.push(event.data);
                    } else if (type === "changed") {
                        const late = this.held.splice(0);
                        setTimeout(() => late.forEach((data) => {
                            this.dispatchEvent(new MessageEvent("message", { data }));
                        }));
                    }
                });
            }
        };"""
    )
    bo.go(room)
    ann.choose(("beds.png", "image/png", png()))
    ann.page.click("#send")
    # Sooner than the page looks for thumbnails that it has not heard of.
    bo.expect(".picture img").to_have_count(1, timeout=10_000)


def test_a_lost_thumbnail_is_looked_for(ann: Person, bo: Person, room: str) -> None:
    open_lossy(bo, room, incoming="payload.type === 'changed'")
    ann.choose(("beds.png", "image/png", png()))
    ann.page.click("#send")
    bo.expect(".picture-waiting").to_have_count(1)
    bo.expect(".picture img").to_have_count(1)
