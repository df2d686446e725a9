"""Make the pictures of the page in docs/: ``make screenshots``.

Three people talk over a stack of its own, as `make up` starts it, and Chromium looks over the shoulder of one of them:
on a desktop, on a phone, in the dark.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.person import Person
from tests.services import ROOT, find
from tests.supervised import Stack

DESKTOP = {"viewport": {"width": 1280, "height": 820}}
PHONE = {"viewport": {"width": 390, "height": 780}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
# Hills at dawn, which are nobody's holiday picture.
HILLS = """
<svg xmlns="http://www.w3.org/2000/svg" width="960" height="640" viewBox="0 0 960 640">
  <defs><linearGradient id="sky" x2="0" y2="1">
    <stop stop-color="#f8bf8c"/><stop offset=".6" stop-color="#dca6ab"/><stop offset="1" stop-color="#a68ebd"/>
  </linearGradient></defs>
  <path fill="url(#sky)" d="M0 0h960v640H0z"/><circle cx="720" cy="230" r="64" fill="#fdebbd"/>
  <path fill="#62708f" d="M0 390c90 60 180 10 270 40s150-70 240-90 150-40 210 20 150 60 240 100v180H0z"/>
  <path fill="#42547a" d="M0 500c110-70 190-30 280-80s160-70 250-10 150 30 220 70 130 10 210 40v120H0z"/>
  <path fill="#1f3a48" d="M0 540c120-50 170-70 260-40s150 60 240 50 160 50 230 40 150 20 230-10v60H0z"/>
</svg>"""


def main() -> None:
    expect.set_options(timeout=30_000)
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(find("chromium")), args=["--no-sandbox"])
        stack = Stack(Path(directory), CHANNEL_LAYER="redis")
        try:
            stack.start()
            take(browser, stack.url, ROOT / "docs")
        finally:
            stack.stop()
            browser.close()


def take(browser: Browser, url: str, folder: Path) -> None:
    """Let people talk at *url* and put the pictures into *folder*."""

    def somebody(**options: Any) -> Person:
        chosen = {"base_url": url, "locale": "en-US", "timezone_id": "UTC", "reduced_motion": "reduce", **options}
        return Person(browser.new_context(**chosen).new_page())

    ann, bob, mei = somebody(**DESKTOP), somebody(), somebody()
    path = talk(browser, ann, bob, mei)
    picture(ann, folder / "screenshot.png")
    state = ann.page.context.storage_state()
    for name, options in (("dark", {**DESKTOP, "color_scheme": "dark"}), ("phone", PHONE)):
        again = somebody(storage_state=state, **options)
        again.go(path)
        picture(again, folder / f"screenshot-{name}.png")
        again.page.context.close()


def talk(browser: Browser, ann: Person, bob: Person, mei: Person) -> str:
    """Three people talk in the lobby, with something new in another room; returns the lobby's path."""
    lobby = "/rooms/lobby/"
    ann.sign_up("Ann")
    ann.open_new_room("大厅")
    design = ann.open_new_room("Design")
    ann.go(lobby)
    bob.sign_up("Bob")
    bob.go(lobby)
    mei.enter_as_guest("小梅", lobby)
    say(bob, "Morning! I am rolling out 2.4 now. Workers one at a time, nobody should notice.", to=(ann, mei))
    say(ann, "Still connected here.", to=(bob, mei))
    say(ann, "Not even a flicker.", to=(bob, mei))
    say(mei, "我这边也没断。", to=(ann, bob))
    bob.choose(("hills.png", "image/png", drawn(browser)))
    say(bob, "The view from the train, while supervisor does the work", to=(ann, mei))
    for person in (ann, bob, mei):
        expect(person.page.locator(".picture img")).to_have_js_property("complete", True)
    say(mei, "好看！", to=(ann, bob))
    say(ann, "Lovely.", to=(bob, mei))
    bob.go(design)
    say(bob, "New icons are in")
    say(bob, "Have a look when you find the time")
    bob.go(lobby)
    return lobby


def say(person: Person, text: str, to: tuple[Person, ...] = ()) -> None:
    person.say(text)
    for other in (person, *to):
        other.sees(text)


def drawn(browser: Browser) -> bytes:
    """Return the hills as a PNG."""
    page = browser.new_page(viewport={"width": 960, "height": 640})
    page.set_content(f"<style>body{{margin:0}}</style>{HILLS}")
    image = page.screenshot()
    page.close()
    return image


def picture(person: Person, path: Path) -> None:
    """Wait until everybody and everything is there, and take the picture."""
    expect(person.page.locator("#people .person")).to_have_count(3)
    expect(person.badge("/rooms/design/").locator("[data-count]")).to_have_text("2")
    expect(person.page.locator(".picture img")).to_have_js_property("complete", True)
    person.page.mouse.move(0, 0)
    person.page.screenshot(path=path)


if __name__ == "__main__":
    main()
