"""Interface servers for the tests: started once for each set of flags, on the Redis of the test run."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.interface.running import Interface
from tests.services import Redis


@pytest.fixture(scope="session")
def start_interface(
    redis_server: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Interface]]:
    """A function that starts an interface server: ``start_interface("--ping-interval", "1", backend=STOCK)``.

    Its keywords are those of :class:`tests.interface.running.Interface`; ``redis_url`` may name another Redis.
    """
    with ExitStack() as running:

        def start(*flags: str, kind: type[Interface] = Interface, **options: Any) -> Interface:
            options.setdefault("redis_url", redis_server.url)
            options.setdefault("prefix", f"interface-{secrets.token_hex(4)}:")
            interface = kind(tmp_path_factory.mktemp("interface"), *flags, **options)
            running.callback(interface.stop)
            return interface.start()

        yield start


@pytest.fixture(scope="module")
def interface(start_interface: Callable[..., Interface]) -> Interface:
    """An interface server that the tests of a module share. Leave no message on its channels."""
    return start_interface()
