"""The page as an installed one: its manifest, its service worker, and what is there without a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.person import Person
from tests.services import wait_for

pytestmark = [pytest.mark.system, pytest.mark.parametrize("stack", ["redis"], indirect=True)]

_READY = "() => navigator.serviceWorker.controller !== null"
_KEPT = """async () => {
  const names = await caches.keys();
  const lists = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
  return lists.flat().map(({ url }) => new URL(url).pathname);
}"""


@pytest.fixture
def worked(somebody: Callable[..., Person], unique: Callable[[str], str]) -> Person:
    """Somebody in the lobby, whose service worker is in charge of the page."""
    person = somebody(service_workers="allow")
    person.enter_as_guest(unique("Wo "))
    person.page.wait_for_function(_READY)
    return person


def test_the_manifest_and_its_icons_are_whole(bo: Person) -> None:
    request = bo.page.request
    address = bo.page.locator("link[rel=manifest]").get_attribute("href")
    answer = request.get(address)
    assert answer.headers["content-type"] == "application/manifest+json"
    manifest: dict[str, Any] = answer.json()
    assert (manifest["start_url"], manifest["display"]) == ("/", "standalone")
    assert {"192x192", "512x512", "any"} <= {icon["sizes"] for icon in manifest["icons"]}
    for icon in manifest["icons"]:
        found = request.get(icon["src"])
        assert found.ok, icon
        assert found.headers["content-type"] == icon["type"]


def test_without_a_network_there_is_a_page_in_ones_language(worked: Person) -> None:
    context = worked.page.context
    context.set_offline(True)
    worked.page.reload()
    worked.expect("h1").to_have_text("There is no connection")
    context.set_offline(False)
    # It comes back by itself, or by the button.
    worked.expect("#log").to_have_attribute("aria-busy", "false")
    worked.page.get_by_role("button", name="简体中文").first.click()
    worked.is_in_room()
    context.set_offline(True)
    worked.page.goto("/rooms/lobby/")
    worked.expect("html").to_have_attribute("lang", "zh-hans")
    worked.expect("a.button").to_be_visible()
    context.set_offline(False)


def test_only_static_files_and_the_offline_page_are_kept(worked: Person, unique: Callable[[str], str]) -> None:
    text = unique("never kept ")
    worked.say(text)
    worked.sees(text)
    worked.page.goto("/")
    worked.page.goto("/rooms/lobby/")
    worked.sees(text)
    kept = worked.page.evaluate(_KEPT)
    assert [path for path in kept if not path.startswith(("/static/", "/offline/"))] == []
    assert {"/offline/en/", "/offline/zh-hans/"} <= set(kept)
    assert any("/js/main." in path for path in kept)
    # A message sent and seen above: neither sockets nor pages go through what is kept.
    assert worked.page.evaluate("performance.getEntriesByType('navigation')[0].workerStart > 0")


def test_a_new_version_drops_the_files_of_the_old_one(worked: Person) -> None:
    worked.page.evaluate("caches.open('chat-old').then((cache) => cache.put('/static/old.js', new Response('old')))")
    # As after a deploy, there is another worker than the one in charge.
    worked.page.evaluate("async () => { await navigator.serviceWorker.register('/sw.js?version=2'); }")
    # In Python: a function of the page that returns a promise is not asked twice.
    wait_for(lambda: not worked.page.evaluate("caches.has('chat-old')"), "the old files to be dropped")
    kept = worked.page.evaluate(_KEPT)
    assert "/static/old.js" not in kept
    assert kept
