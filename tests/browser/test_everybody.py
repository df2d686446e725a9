"""The page for everybody: keyboards, screen readers, phones, languages, colours."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.person import Person

pytestmark = [pytest.mark.system, pytest.mark.parametrize("stack", ["redis"], indirect=True)]

PAGES = ["/", "/rooms/lobby/", "/rooms/new/", "/rooms/no-such-room/"]
FORMS = ["/accounts/login/", "/accounts/signup/", "/guest/", "/rooms/lobby/"]
PHONES = [(320, 568), (390, 844)]


@pytest.mark.parametrize("size", PHONES, ids=str)
def test_nothing_scrolls_sideways_on_a_phone(
    somebody: Callable[..., Person], size: tuple[int, int], unique: Callable[[str], str]
) -> None:
    width, height = size
    person = somebody(viewport={"width": width, "height": height}, has_touch=True, is_mobile=True)
    for path in FORMS:
        person.page.goto(path)
        assert person.fits(), path
    person.sign_up(unique("phone"))
    path = person.open_new_room(unique("A name as long as a name may be, which is long ") + "x" * 20, private=True)
    person.say_by_button("w" * 300)
    person.sees("w" * 300)
    assert person.fits()
    assert person.page.evaluate(
        "document.getElementById('log').scrollWidth <= document.getElementById('log').clientWidth"
    )
    for path in PAGES:
        person.page.goto(path)
        assert person.fits(), path


def test_rooms_and_people_are_drawers_on_a_phone(somebody: Callable[..., Person], unique: Callable[[str], str]) -> None:
    person = somebody(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    person.enter_as_guest(unique("Bo "))
    for panel in ("rooms-panel", "people-panel"):
        button = person.page.locator(f"[data-open={panel}]")
        person.expect(f"#{panel}").not_to_be_visible()
        button.click()
        person.expect(f"#{panel}").to_be_visible()
        person.expect(button).to_have_attribute("aria-expanded", "true")
        # The keyboard goes into the drawer and comes back to where it was opened.
        person.expect(f"#{panel} [data-close]").to_be_focused()
        person.page.keyboard.press("Escape")
        person.expect(f"#{panel}").not_to_be_visible()
        person.expect(button).to_be_focused()


def test_everything_can_be_done_with_the_keyboard(
    somebody: Callable[..., Person], unique: Callable[[str], str]
) -> None:
    person = somebody()
    person.page.goto("/rooms/lobby/")
    # The name field has the focus already.
    person.page.keyboard.type(unique("Kay "))
    person.page.keyboard.press("Enter")
    person.is_in_room()
    person.page.keyboard.press("Tab")
    person.expect(".skip-link").to_be_focused()
    person.expect(".skip-link").to_be_in_viewport()
    person.page.keyboard.press("Enter")
    person.expect("#composer-text").to_be_focused()
    text = unique("two lines ")
    person.page.keyboard.type(text)
    person.page.keyboard.press("Shift+Enter")
    person.page.keyboard.type("in one message")
    person.page.keyboard.press("Enter")
    person.sees(f"{text}\nin one message")
    person.expect("#composer-text").to_be_focused()
    # Back over picture button and log to the list of rooms.
    seen: set[str] = set()
    wanted = {"attach", "log", "/rooms/lobby/"}
    for _step in range(30):
        person.page.keyboard.press("Shift+Tab")
        seen.add(person.page.evaluate("document.activeElement.id || document.activeElement.getAttribute('href')"))
        # Past the first element the focus is in the browser's own bars, which counts as the body.
        bare = person.page.evaluate(
            "document.activeElement !== document.body"
            " && getComputedStyle(document.activeElement).outlineStyle === 'none'"
        )
        assert not bare, person.page.evaluate("document.activeElement.outerHTML")
        if wanted <= seen:
            break
    assert wanted <= seen


def test_enter_that_ends_a_chinese_word_does_not_send(ann: Person, room: str) -> None:
    ann.page.fill("#composer-text", "你好")
    ann.page.evaluate(
        """document.getElementById("composer-text").dispatchEvent(
            new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true }))"""
    )
    assert ann.page.input_value("#composer-text") == "你好"
    ann.page.press("#composer-text", "Enter")
    ann.sees("你好")


def test_screen_readers_are_told_what_is_what(ann: Person, bo: Person, room: str) -> None:
    bo.go(room)
    page = bo.page
    log = page.get_by_role("log", name="Messages")
    bo.expect(log).to_have_attribute("aria-live", "polite")
    bo.expect(page.get_by_role("main")).to_have_count(1)
    bo.expect(page.get_by_role("heading", level=1)).to_have_count(1)
    bo.expect(page.get_by_role("navigation", name="Rooms")).to_be_visible()
    bo.expect(page.get_by_role("complementary", name="Here now")).to_be_visible()
    bo.expect(page.get_by_role("status").filter(has_text="Connected")).to_be_visible()
    bo.expect(page.get_by_role("textbox", name="Message to Garden")).to_be_visible()
    ann.say("one")
    ann.say("two")
    bo.sees("two")
    # Authors are hidden from sight in a group, not from the ear; initials the other way round.
    bo.expect(log.get_by_role("listitem").nth(1)).to_contain_text(ann.name)


def test_the_page_speaks_chinese(somebody: Callable[..., Person], unique: Callable[[str], str]) -> None:
    person = somebody(locale="zh-CN")
    person.enter_as_guest(unique("小明"))
    person.expect("html").to_have_attribute("lang", "zh-hans")
    person.expect("#rooms-title").to_have_text("聊天室")
    person.expect("#state [data-shown]").to_have_text("已连接")
    person.expect("#composer-text").to_have_attribute("placeholder", "写点什么")
    text = unique("大家好")
    person.say(text)
    person.sees(text)
    person.expect(person.page.locator(".day").first).to_have_text("今天")


def test_the_language_can_be_chosen_and_stays(bo: Person) -> None:
    bo.page.get_by_role("button", name="简体中文").click()
    bo.expect("#state [data-shown]").to_have_text("已连接")
    bo.page.goto("/accounts/login/")
    bo.expect("h1").to_have_text("登录")
    bo.page.get_by_role("button", name="English").click()
    bo.expect("h1").to_have_text("Sign in")


def test_the_server_answers_in_the_language_of_the_page(
    somebody: Callable[..., Person], unique: Callable[[str], str]
) -> None:
    person = somebody(locale="zh-CN")
    person.sign_up(unique("lilei"))
    person.open_new_room(unique("读书会"))
    person.page.click("#settings-open")
    person.page.fill("#settings-name", "\u200b")
    person.page.keyboard.press("Enter")
    person.expect("#settings-error").to_contain_text("必填")


def test_every_page_carries_the_strict_policy(bo: Person) -> None:
    for path in [*PAGES[:2], *FORMS[:2], "/rooms/no-such-room/"]:
        policy = bo.page.request.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy


def test_an_inline_script_does_not_run(bo: Person) -> None:
    """The policy is enforced and not only reported: what would get into the page could do nothing."""
    bo.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.broken = true";
            document.body.append(script);
        }"""
    )
    assert bo.page.evaluate("window.broken") is None
    assert any("policy" in problem for problem in bo.problems)
    bo.problems.clear()
