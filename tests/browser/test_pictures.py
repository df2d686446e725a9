"""Pictures: chosen, pasted or dropped; their thumbnails arrive by themselves."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest

from tests.browser.person import Person
from tests.images import png

pytestmark = [pytest.mark.system, pytest.mark.parametrize("stack", ["redis"], indirect=True)]

# Hands a file to the page as a drop, or as a paste, would.
_HAND_OVER = """
([kind, name, encoded]) => {
  const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type: "image/png" }));
  const box = document.getElementById("composer-text");
  if (kind === "paste") {
    box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  } else {
    for (const step of ["dragenter", "dragover", "drop"]) {
      box.dispatchEvent(new DragEvent(step, { dataTransfer: data, bubbles: true, cancelable: true }));
    }
  }
}
"""


def hand_over(person: Person, kind: str, name: str, data: bytes) -> None:
    person.page.evaluate(_HAND_OVER, [kind, name, base64.b64encode(data).decode()])


def thumbnail_of(person: Person) -> Any:
    """Wait for a thumbnail that has been loaded, and return it."""
    image = person.page.locator(".picture img").last
    person.expect(image).to_be_visible()
    person.expect(image).to_have_attribute("src", re.compile("/media/thumbnails/"))
    person.expect(image).to_have_js_property("complete", True)
    assert image.evaluate("(image) => image.naturalWidth") > 0
    return image


def test_a_chosen_picture_gets_its_thumbnail_live(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    for person in (ann, bo):
        person.mark()
    ann.choose(("beds.png", "image/png", png(800, 600)))
    ann.expect(".attachment").to_contain_text("beds.png")
    ann.say("The new beds")
    for person in (ann, bo):
        person.sees("The new beds")
        assert thumbnail_of(person).get_attribute("alt") == f"Picture from {ann.name}"
        assert person.was_never_reloaded()
    ann.expect(".attachment").to_have_count(0)
    assert ann.page.input_value("#composer-text") == ""


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_a_picture_can_be_pasted_and_dropped(ann: Person, bo: Person, room: str, kind: str) -> None:
    bo.go(room)
    hand_over(ann, kind, "beds.png", png())
    ann.expect(".attachment").to_have_count(1)
    ann.page.click("#send")
    for person in (ann, bo):
        thumbnail_of(person)


def test_several_pictures_go_one_after_the_other(ann: Person, room: str) -> None:
    ann.choose(*((f"{number}.png", "image/png", png(40 + number)) for number in range(3)))
    ann.say("Three of them")
    ann.expect(".picture img").to_have_count(3)
    assert ann.page.locator(".bubble-text").all_inner_texts() == ["Three of them"]


def test_a_picture_can_be_taken_back(ann: Person, room: str) -> None:
    hand_over(ann, "paste", "beds.png", png())
    ann.expect("#send").to_be_enabled()
    ann.page.click(".attachment-remove")
    ann.expect(".attachment").to_have_count(0)
    ann.expect("#send").to_be_disabled()


def test_a_file_that_is_no_picture_is_refused_in_words(ann: Person, room: str) -> None:
    ann.choose(("minutes.pdf", "application/pdf", b"%PDF-1.4"))
    ann.expect("#errors").to_contain_text("minutes.pdf is not a PNG, JPEG, GIF or WebP picture.")
    ann.expect(".attachment").to_have_count(0)


def test_a_picture_that_lies_about_itself_is_refused_and_the_text_is_kept(ann: Person, room: str) -> None:
    ann.choose(("lie.png", "image/png", b"<html>no picture</html>"))
    ann.say("Look at this")
    ann.expect("#errors").to_contain_text("PNG, JPEG, GIF or WebP")
    ann.expect(".attachment").to_have_count(1)
    assert ann.page.input_value("#composer-text") == "Look at this"


def test_a_broken_picture_is_taken_out_and_the_sender_hears_why(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    # Whole as far as its header goes, which is how far the server looks before it answers.
    whole = png(400, 300)
    start = whole.index(b"IDAT") + 4
    broken = whole[:start] + bytes(40) + whole[start + 40 :]
    ann.choose(("broken.png", "image/png", broken))
    ann.page.click("#send")
    ann.expect("#errors").to_contain_text("could not be processed")
    for person in (ann, bo):
        person.expect(".message-removed .bubble").to_have_text("This message was removed.")
