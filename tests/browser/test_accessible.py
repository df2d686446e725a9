"""axe-core on every page and dialog, in light and dark, on a desktop and on a phone."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest

from tests.browser.person import Person
from tests.images import png

pytestmark = [pytest.mark.system, pytest.mark.parametrize("stack", ["redis"], indirect=True)]

_RUN = """
async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} ${target}: ${failureSummary}`));
}
"""
_DESKTOP = {"viewport": {"width": 1280, "height": 800}}
_PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
LOOKS = {
    "light": _DESKTOP,
    "dark": {**_DESKTOP, "color_scheme": "dark"},
    "phone": _PHONE,
    "dark phone": {**_PHONE, "color_scheme": "dark"},
}


@functools.cache
def axe() -> str:
    """The script itself. Not when this is imported: the plain set, which runs none of this, lacks the package."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def violations(person: Person) -> list[str]:
    person.page.evaluate(axe())
    return person.page.evaluate(_RUN)


class Findings:
    """What axe-core finds wherever :meth:`look` is called; :meth:`check` fails the test with all of it."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._found: dict[str, list[str]] = {}

    def look(self, name: str, target: Any = "main") -> None:
        """Let axe-core look at the page, in which *target* must be open: what is hidden has no faults."""
        self._person.expect(target).to_be_visible()
        self._found[name] = violations(self._person)

    def check(self) -> None:
        assert {name: problems for name, problems in self._found.items() if problems} == {}


@pytest.fixture(params=LOOKS.values(), ids=LOOKS.keys())
def look(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    return {"reduced_motion": "reduce", **request.param}


def test_nothing_keeps_anybody_out(
    somebody: Callable[..., Person], unique: Callable[[str], str], look: dict[str, Any]
) -> None:
    """Whatever axe-core finds in a room, and in all that opens in it to read and to write."""
    person, other = somebody(**look), somebody()
    page, findings = person.page, Findings(person)
    person.sign_up(unique("eve"))
    path = person.open_new_room(unique("Colours "))
    findings.look("empty", "#log-empty")
    other.enter_as_guest(unique("Zoe "), path)
    other.say("theirs")
    other.choose(("beds.png", "image/png", png()))
    other.say("a picture")
    person.say_by_button("mine https://example.org/")
    person.say_by_button("/dance")
    person.sees("a picture")
    person.sees("mine https://example.org/")
    page.evaluate("document.querySelector('#rooms li').classList.add('has-unread')")
    findings.look("room", ".message-failed .message-note")
    for state in ("waiting", "closed"):
        page.evaluate("(state) => { document.getElementById('state').dataset.state = state }", state)
        findings.look(state, "#state")
    page.click("#emoji-open")
    person.expect("#emoji-list button").not_to_have_count(0)
    findings.look("emoji", "#emoji-panel")
    page.fill("#emoji-search", "no such emoji")
    findings.look("no emoji", "#emoji-none")
    page.keyboard.press("Escape")
    page.locator(".picture").click()
    findings.look("viewer", "#viewer")
    page.keyboard.press("Escape")
    person.choose(("pond.png", "image/png", png()))
    findings.look("picture to send", "#attachments li")
    page.fill("#composer-text", "x" * 3990)
    findings.look("long message", "#left")
    page.fill("#composer-text", "")
    person.message("mine https://example.org/").locator(".message-head, .bubble").last.click(position={"x": 4, "y": 4})
    more = page.get_by_role("button", name=re.compile("^Actions"))
    more.click()
    findings.look("message menu", page.get_by_role("menu"))
    page.get_by_role("menuitem", name="Remove").click()
    findings.look("question", "#confirm")
    page.keyboard.press("Escape")
    more.click()
    page.get_by_role("menuitem", name="Edit").click()
    page.fill(".editor textarea", "x" * 5000)
    page.keyboard.press("Enter")
    findings.look("editor", ".editor [data-error] span")
    page.keyboard.press("Escape")
    page.click("#search-open")
    page.locator("#search-text").press_sequentially("theirs")
    findings.look("search", page.locator("#search-results .found").first)
    page.fill("#search-text", "no such words")
    person.expect("#search-status").to_have_text("Nothing found.")
    findings.look("nothing found", "#search-status")
    page.click("#search [data-close-dialog]")
    # What opens for a message a thousand messages away, with one that is near.
    page.evaluate("""() => {
        const copy = document.querySelector("#messages .message").cloneNode(true);
        document.querySelector("#around [role=list]").replaceChildren(copy);
        document.getElementById("around").showModal();
    }""")
    findings.look("around", "#around .message")
    page.keyboard.press("Escape")
    if page.locator("[data-open=rooms-panel]").is_visible():
        page.click("[data-open=rooms-panel]")
        findings.look("rooms", "#rooms-panel")
    page.click("#preferences-open")
    findings.look("preferences", "#preferences")
    page.evaluate("document.getElementById('notify-refused').hidden = false")
    findings.look("notifications refused", "#notify-refused")
    findings.check()


def test_nothing_keeps_anybody_out_of_the_company(
    somebody: Callable[..., Person], unique: Callable[[str], str], look: dict[str, Any]
) -> None:
    """And in all that opens in it about its people and its settings."""
    person, other = somebody(**look), somebody()
    page, findings = person.page, Findings(person)
    person.sign_up(unique("eve"))
    path = person.open_new_room(unique("Company "))
    other.sign_up(unique("zoe"))
    other.go(path)
    person.expect("#people .person").to_have_count(2)
    page.locator("#composer-text").press_sequentially("@zo")
    findings.look("mention", "#mention-list [role=option]")
    page.keyboard.press("Escape")
    page.fill("#composer-text", "")

    def open_people() -> None:
        if page.locator("[data-open=people-panel]").is_visible():
            page.click("[data-open=people-panel]")
        person.expect("#people-panel").to_be_visible()

    open_people()
    button = page.get_by_role("button", name=f"What to do with {other.name}")
    person.expect(button).to_be_visible()
    findings.look("people", "#people")
    button.click()
    findings.look("menu of a person", page.get_by_role("menu"))
    page.get_by_role("menuitem", name="Ban…").click()
    findings.look("ban", "#ban")
    page.click("#ban button[value=yes]")
    other.expect(".notice-error").to_be_visible()
    person.expect(button).to_have_count(0)
    page.reload()
    person.is_in_room()
    page.click("#settings-open")
    page.select_option("#settings-slow", "15")
    page.check("#settings-private")
    findings.look("settings", "#settings")
    page.fill("#settings-name", "\u200b")
    page.click("#settings-form .button:not(.button-quiet)")
    person.expect("#settings-error").not_to_be_empty()
    findings.look("settings refused", "#settings-error")
    page.fill("#settings-name", "Company")
    page.click("#settings-form .button:not(.button-quiet)")
    person.expect("#settings").to_be_hidden()
    # With the form that adds a member.
    page.reload()
    person.is_in_room()
    open_people()
    page.fill("#member-name", "no such person")
    page.click("#add-member button")
    person.expect("#member-note").not_to_be_empty()
    findings.look("members", "#member-note")
    page.keyboard.press("Escape")
    page.click("#settings-open")
    page.click("#invitations summary")
    page.click("#invitations [data-form] button")
    person.expect("#invitations [role=status]").not_to_be_empty()
    findings.look("invitations", "#invitations li")
    page.click("#bans summary")
    findings.look("bans", "#bans li")
    page.click("#webhooks summary")
    page.fill("#webhook-name", "Build")
    page.click("#webhooks [data-form] button")
    person.expect("#webhooks li").to_be_visible()
    findings.look("webhooks", "#webhook-address")
    page.click("#room-delete")
    findings.look("question over the settings", "#confirm")
    findings.check()


def test_nothing_keeps_anybody_out_before_they_are_in(
    somebody: Callable[..., Person], unique: Callable[[str], str], look: dict[str, Any]
) -> None:
    person = somebody(**look)
    page, findings = person.page, Findings(person)
    for path in ("/accounts/login/", "/accounts/signup/", "/guest/", "/rooms/lobby/", "/offline/en/"):
        page.goto(path)
        findings.look(path)
    person.sign_up(unique("eve"))
    for path in ("/", "/rooms/new/", "/rooms/no-such-room/", "/invitations/none/", "/accounts/tokens/"):
        page.goto(path)
        findings.look(path)
    page.fill("#token-name", "robot")
    page.get_by_role("button", name="Make a token").click()
    findings.look("a token", "#secret")
    page.goto("/rooms/new/")
    page.fill("[name=name]", "\u200b")
    page.click("main button")
    findings.look("a room refused", ".field-error")
    findings.check()
