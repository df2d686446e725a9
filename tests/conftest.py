"""Fixtures with real services. Each ends with the test run, however that ends, and only what we started ends."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests import services


def pytest_configure(config: pytest.Config) -> None:
    # A runner that gives up sends SIGTERM: end as on Ctrl-C, fixtures and all.
    signal.signal(signal.SIGTERM, _interrupt)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # They keep the machine busy on purpose, and count what it manages meanwhile.
    for item in items:
        if {"faults", "test_bench.py"} & set(item.path.parts):
            item.add_marker(pytest.mark.alone)


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


@pytest.fixture(scope="session")
def django_db_modify_db_settings_xdist_suffix() -> None:
    """No name of its own for each process: SQLite's databases are in memory, and on PostgreSQL there is one process.

    pytest-django knows Django's own SQLite backend for one that is in memory, and ours not.
    """


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.Redis]:
    """A Redis of this test run; its ``url`` names database 0. Keep to prefixes of your own."""
    service = services.Redis(tmp_path_factory.mktemp("redis"))
    try:
        yield service.start()
    finally:
        service.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[services.Postgres]:
    """A PostgreSQL of this test run; ``postgres.database("name")`` makes a database and returns its URL."""
    with services.postgres() as service:
        yield service


@pytest.fixture(scope="session")
def make_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """A function that starts a stack: ``make_stack(WEB_WORKERS="1")``. Each ends with the test run, if not before."""
    from tests.supervised import Stack

    with ExitStack() as running:

        def make(**settings: str) -> Stack:
            stack = Stack(tmp_path_factory.mktemp("stack"), **settings)
            running.callback(stack.stop)
            return stack.start()

        yield make


@pytest.fixture(scope="session")
def stacks(make_stack: Callable[..., Any]) -> Callable[[str], Any]:
    """A function that returns the stack on a channel layer. Each is started once: every file of tests wants it."""
    return functools.cache(lambda layer: make_stack(CHANNEL_LAYER=layer))


@pytest.fixture(scope="session", params=["redis", "stock"])
def stack(request: pytest.FixtureRequest, stacks: Callable[[str], Any]) -> Any:
    """The supervised stack as `make up` runs it, on our layer and on stock pieces. Tests share it: leave it be."""
    return stacks(request.param)


@pytest.fixture(scope="session")
def make_nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """A function that starts nginx with a shipped configuration: ``make_nginx("chat.conf", stack)``."""
    from tests.front import Nginx

    with ExitStack() as running:

        def make(name: str, stack: Any, **values: Any) -> Nginx:
            nginx = Nginx(tmp_path_factory.mktemp("nginx"), name, stack, **values)
            running.callback(nginx.stop)
            return nginx.start()

        yield make


@pytest.fixture
def wait_for() -> Callable[..., Any]:
    """``wait_for(condition, what, timeout)``: see :func:`tests.services.wait_for`."""
    return services.wait_for


@pytest.fixture
def root() -> Path:
    """The checkout."""
    return services.ROOT
