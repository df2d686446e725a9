"""axe-core on every page and dialog, in light and dark, on a desktop and on a phone."""

from __future__ import annotations

import functools
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


@pytest.fixture(params=LOOKS.values(), ids=LOOKS.keys())
def look(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    return {"reduced_motion": "reduce", **request.param}


def test_nothing_keeps_anybody_out(
    somebody: Callable[..., Person], unique: Callable[[str], str], look: dict[str, Any]
) -> None:
    """Whatever axe-core finds in a room, and in all that opens in it."""
    person, other = somebody(**look), somebody()
    person.sign_up(unique("eve"))
    path = person.open_new_room(unique("Colours "))
    other.enter_as_guest(unique("Zoe "), path)
    other.say("theirs")
    other.choose(("beds.png", "image/png", png()))
    other.say("a picture")
    person.say_by_button("mine https://example.org/")
    person.sees("a picture")
    person.sees("mine https://example.org/")
    person.page.evaluate("document.querySelector('#rooms li').classList.add('has-unread')")
    found = {"room": violations(person)}
    for state in ("waiting", "closed"):
        person.page.evaluate("(state) => { document.getElementById('state').dataset.state = state }", state)
        found[state] = violations(person)
    person.page.click("#emoji-open")
    person.expect("#emoji-list button").not_to_have_count(0)
    found["emoji"] = violations(person)
    person.page.keyboard.press("Escape")
    person.page.locator(".picture").click()
    found["viewer"] = violations(person)
    person.page.keyboard.press("Escape")
    if person.page.locator("[data-open=rooms-panel]").is_visible():
        person.page.click("[data-open=rooms-panel]")
        found["rooms"] = violations(person)
    person.page.click("#preferences-open")
    found["preferences"] = violations(person)
    person.page.keyboard.press("Escape")
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_nothing_keeps_anybody_out_before_they_are_in(
    somebody: Callable[..., Person], unique: Callable[[str], str], look: dict[str, Any]
) -> None:
    person = somebody(**look)
    found = {}
    for path in ("/accounts/login/", "/accounts/signup/", "/guest/", "/rooms/lobby/", "/offline/en/"):
        person.page.goto(path)
        found[path] = violations(person)
    person.sign_up(unique("eve"))
    for path in ("/", "/rooms/new/", "/rooms/no-such-room/"):
        person.page.goto(path)
        found[path] = violations(person)
    assert {path: problems for path, problems in found.items() if problems} == {}
