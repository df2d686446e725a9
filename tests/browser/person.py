"""Somebody with a browser: what they do, and what they see."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

PASSWORD = "correct-horse-battery-9"
# What Chromium says of any request that fails, as some do on purpose.
_EXPECTED = re.compile(r"Failed to load resource|WebSocket connection to|ERR_")
_REPORT_POLICY = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  console.error(`policy: ${violatedDirective} ${blockedURI}`);
});
"""


class Person:
    def __init__(self, page: Any) -> None:
        self.page = page
        self.name = ""
        self.problems: list[str] = []
        page.add_init_script(_REPORT_POLICY)
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        page.on("console", self._console)

    def _console(self, message: Any) -> None:
        if message.type == "error" and not _EXPECTED.search(message.text):
            self.problems.append(f"{self.page.url}: {message.text}")

    # --- Coming ---

    def sign_up(self, name: str) -> None:
        self.name = name
        self.page.goto("/accounts/signup/")
        self.page.fill("[name=username]", name)
        self.page.fill("[name=password1]", PASSWORD)
        self.page.fill("[name=password2]", PASSWORD)
        self.page.click("main button")
        self.page.wait_for_url(lambda url: "signup" not in url)

    def sign_in(self, name: str) -> None:
        self.name = name
        self.page.goto("/accounts/login/")
        self.page.fill("[name=username]", name)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("main button")
        self.page.wait_for_url(lambda url: "login" not in url)

    def enter_as_guest(self, name: str, path: str = "/rooms/lobby/") -> None:
        self.name = name
        self.page.goto(path)
        self.page.fill("#guest-name", name)
        self.page.keyboard.press("Enter")
        self.is_in_room()

    def open_new_room(self, name: str, *, private: bool = False) -> str:
        self.page.goto("/rooms/new/")
        self.page.fill("[name=name]", name)
        self.page.set_checked("[name=private]", private)
        self.page.click("main button")
        self.page.wait_for_url(lambda url: "/rooms/new/" not in url)
        self.is_in_room()
        return urlsplit(self.page.url).path

    def go(self, path: str) -> None:
        self.page.goto(path)
        self.is_in_room()

    def is_in_room(self) -> None:
        """Wait until the page is connected and the room has been joined."""
        self.expect("#state").to_have_attribute("data-state", "connected")
        self.expect("#log").to_have_attribute("aria-busy", "false")

    # --- Talking ---

    def say(self, text: str) -> None:
        self.page.fill("#composer-text", text)
        self.page.press("#composer-text", "Enter")

    def say_by_button(self, text: str) -> None:
        """Say it as on a phone, where Enter starts a new line."""
        self.page.fill("#composer-text", text)
        self.page.click("#send")

    def choose(self, *files: tuple[str, str, bytes]) -> None:
        """Choose files, each with a name, a type and its content, to be sent with the next message."""
        with self.page.expect_file_chooser() as chooser:
            self.page.click("#attach")
        chooser.value.set_files([{"name": name, "mimeType": kind, "buffer": data} for name, kind, data in files])

    def sees(self, text: str) -> None:
        """Wait until a stored message says exactly *text*."""
        self.expect(self.message(text)).to_have_count(1)

    def message(self, text: str) -> Any:
        exactly = re.compile(f"^{re.escape(text)}$")
        bubble = self.page.locator(".bubble-text", has_text=exactly)
        return self.page.locator(".message:not(.message-pending, .message-failed)").filter(has=bubble)

    def texts(self) -> list[str]:
        """Return what the messages on the page say, from top to bottom."""
        # Not inner texts: those of messages out of sight, which the browser does not lay out, are empty.
        return self.page.locator(".message .bubble").all_text_contents()

    # --- Looking ---

    def expect(self, target: Any) -> Any:
        from playwright.sync_api import expect

        return expect(self.page.locator(target) if isinstance(target, str) else target)

    def badge(self, path: str) -> Any:
        return self.page.locator(f'#rooms a[href="{path}"] [data-unread]')

    def fits(self) -> bool:
        """Whether nothing makes the page scroll sideways."""
        return self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def mark(self) -> None:
        """Leave a mark on the page that a reload would wipe off."""
        self.page.evaluate("window.neverReloaded = true")

    def was_never_reloaded(self) -> bool:
        return self.page.evaluate("window.neverReloaded === true")
