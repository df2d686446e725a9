"""Chromium, and people who sit in front of it. Whatever the browser complains of fails the test."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import services
from tests.browser.person import Person

# Without a sandbox, which root cannot have; and without the calls home that a browser makes by itself.
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # A page that a test makes up has no address, and may not talk to ours otherwise.
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
]
# What a service worker fetches is out of sight for a test: only those that are about it let it in.
_NO_WORKER = {"service_workers": "block"}
TIMEOUT_MS = 15_000 * services.TIMEOUT_SCALE


def pytest_collection_finish(session: pytest.Session) -> None:
    """Compile the catalogs as `make up` does, before any test starts a stack: Django reads them once in a process."""
    if any(Path(__file__).parent in item.path.parents for item in session.items):
        sys.path.append(str(services.ROOT / "deploy"))
        from embedded.prepare import compile_catalogs

        # Each process of a test run comes here.
        with _alone(services.ROOT / "chat" / "locale"):
            compile_catalogs(services.ROOT, Path(sys.executable))


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Keep other processes that do the same out, until we are done."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


# For the package and not the session: Playwright keeps an event loop in this thread, in which Django refuses queries.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, without a window. A missing one is an error and not a reason to skip."""
    binary = services.find("chromium")
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError as error:
        raise RuntimeError("Playwright is missing: pip install --no-deps -r tests/requirements.txt") from error
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(binary), args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def somebody(chromium: Any, stack: Any) -> Iterator[Callable[..., Person]]:
    """A function that returns somebody with a browser of their own: ``somebody(locale="zh-CN")``.

    The test fails if a browser reports an error of a script or a breach of the content security policy.
    """
    people: list[Person] = []

    def make(**options: Any) -> Person:
        chosen = {"base_url": stack.url, "locale": "en-US", "timezone_id": "UTC", **_NO_WORKER, **options}
        context = chromium.new_context(**chosen)
        context.set_default_timeout(TIMEOUT_MS)
        people.append(Person(context.new_page()))
        return people[-1]

    yield make
    problems = [problem for person in people for problem in person.problems]
    for person in people:
        person.page.context.close()
    assert not problems, problems


_numbers = itertools.count(1)


@pytest.fixture
def unique() -> Callable[[str], str]:
    """A function that makes a name one of its own, since tests share a stack."""
    return lambda name: f"{name}{next(_numbers)}"


@pytest.fixture
def ann(somebody: Callable[..., Person], unique: Callable[[str], str]) -> Person:
    """Somebody with an account."""
    person = somebody()
    person.sign_up(unique("ann"))
    return person


@pytest.fixture
def bo(somebody: Callable[..., Person], unique: Callable[[str], str]) -> Person:
    """A guest, in the lobby."""
    person = somebody()
    person.enter_as_guest(unique("Bo "))
    return person


@pytest.fixture
def room(ann: Person, unique: Callable[[str], str]) -> str:
    """The path of a new public room, which ann has opened and stays in."""
    return ann.open_new_room(unique("Garden "))
