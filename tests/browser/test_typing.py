"""Who is typing, seen by the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.person import Person

pytestmark = [pytest.mark.system, pytest.mark.parametrize("stack", ["redis"], indirect=True)]


def types(person: Person, text: str) -> None:
    person.page.locator("#composer-text").press_sequentially(text)


def places(person: Person) -> list[Any]:
    """Where the parts of the room are on the page."""
    return [person.page.locator(part).bounding_box() for part in (".log-frame", "#composer")]


def test_typing_is_seen_until_the_message_comes_or_nothing_is_left(
    ann: Person, bo: Person, room: str, somebody: Callable[..., Person], unique: Callable[[str], str]
) -> None:
    bo.go(room)
    before = places(ann)
    types(bo, "Hel")
    ann.expect("#typing").to_have_text(f"{bo.name} is typing…")
    assert places(ann) == before
    assert ann.page.get_attribute("#typing", "aria-live") == "off"
    # Of oneself nothing is said.
    assert bo.page.inner_text("#typing") == ""
    bo.page.press("#composer-text", "Enter")
    ann.sees("Hel")
    ann.expect("#typing").to_have_text("")
    types(bo, "x")
    ann.expect("#typing").to_have_text(f"{bo.name} is typing…")
    cy = somebody()
    cy.enter_as_guest(unique("Cy "), room)
    types(cy, "y")
    ann.expect("#typing").to_have_text(f"{bo.name} and {cy.name} are typing…")
    bo.page.press("#composer-text", "Backspace")
    ann.expect("#typing").to_have_text(f"{cy.name} is typing…")
    # Whoever goes does not type.
    cy.page.close()
    ann.expect("#typing").to_have_text("")


def test_several_people_are_not_named_and_who_vanishes_is_forgotten(ann: Person, room: str) -> None:
    frames = """
    (people) => {
      for (const name of people) {
        const payload = { type: "typing", room: ROOM, who: { key: name, name, guest: true }, for_ms: 400 };
        window.typingSocket.dispatchEvent(new MessageEvent("message", {
          data: JSON.stringify({ stream: "chat", payload }),
        }));
      }
    }
    """.replace("ROOM", repr(room.strip("/").split("/")[-1]))
    ann.page.add_init_script("""
      const Plain = WebSocket;
      window.WebSocket = class extends Plain {
        constructor(...args) { super(...args); window.typingSocket = this; }
      };
    """)
    ann.go(room)
    ann.page.evaluate(frames, ["Xi", "Yo", "Zed"])
    ann.expect("#typing").to_have_text("Several people are typing…")
    ann.expect("#typing").to_have_text("")
