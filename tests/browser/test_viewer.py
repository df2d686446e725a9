"""Pictures in full size."""

from __future__ import annotations

import pytest

from tests.browser.person import Person
from tests.images import png

pytestmark = [pytest.mark.system, pytest.mark.parametrize("stack", ["redis"], indirect=True)]


def send_pictures(person: Person) -> None:
    person.choose(("one.png", "image/png", png(400, 300)), ("two.png", "image/png", png(3_000, 2_000)))
    person.say("Two beds")
    person.expect(".picture img").to_have_count(2)


def test_a_picture_opens_in_full_size_and_leads_to_the_next(ann: Person, room: str) -> None:
    send_pictures(ann)
    first = ann.page.locator(".picture").first
    first.focus()
    ann.page.keyboard.press("Enter")
    ann.expect("#viewer").to_be_visible()
    image = ann.page.locator("#viewer-image")
    ann.expect(image).to_have_attribute("alt", f"Picture from {ann.name}: Two beds")
    ann.expect(image).to_have_js_property("naturalWidth", 400)
    ann.expect("#viewer-before").to_be_disabled()
    ann.page.keyboard.press("ArrowRight")
    ann.expect(image).to_have_js_property("naturalWidth", 3_000)
    ann.expect("#viewer-count").to_have_text("2 of 2")
    ann.expect("#viewer-after").to_be_disabled()
    ann.page.keyboard.press("ArrowLeft")
    ann.expect(image).to_have_js_property("naturalWidth", 400)
    ann.page.keyboard.press("Escape")
    ann.expect("#viewer").to_be_hidden()
    ann.expect(first).to_be_focused()
    # Who went on to another one stays there.
    ann.page.keyboard.press("Enter")
    ann.page.keyboard.press("ArrowRight")
    ann.expect("#viewer-count").to_have_text("2 of 2")
    ann.page.keyboard.press("Escape")
    ann.expect(ann.page.locator(".picture").last).to_be_focused()


def test_a_click_zooms_and_a_link_downloads(ann: Person, room: str) -> None:
    send_pictures(ann)
    ann.page.locator(".picture").last.click()
    image = ann.page.locator("#viewer-image")
    ann.expect(image).to_have_js_property("naturalWidth", 3_000)
    assert image.bounding_box()["width"] <= ann.page.viewport_size["width"]
    ann.page.click("#viewer-zoom")
    assert image.bounding_box()["width"] == 3_000
    ann.expect(ann.page.get_by_role("button", name="Fit to the window")).to_be_visible()
    ann.page.click("#viewer-zoom", position={"x": 300, "y": 300})
    assert image.bounding_box()["width"] <= ann.page.viewport_size["width"]
    with ann.page.expect_download() as download:
        ann.page.click("#viewer-download")
    assert download.value.suggested_filename.endswith(".png")
