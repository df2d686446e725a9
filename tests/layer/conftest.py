"""Layers, Redis servers and links for the tests of the layer."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from channels_lts.layer import RedisChannelLayer
from tests.layer.in_reactor import Sockets
from tests.layer.servers import Proxy, Server
from tests.services import Redis

_numbers = itertools.count()


@pytest.fixture
def quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times that a test can wait for."""
    settings.CHANNELS_LTS = {"ANNOUNCE_INTERVAL": 0.2, "PROCESS_EXPIRY": 1, "REDIS_TIMEOUT": 1}
    monkeypatch.setattr(RedisChannelLayer, "blpop_timeout", 0.5)


@pytest.fixture
def make_layer(redis_server: Redis) -> Callable[..., RedisChannelLayer]:
    """A function that makes a layer, with a prefix of its own on the Redis of the test run if not told otherwise."""

    def make(**options: Any) -> RedisChannelLayer:
        prefix = f"layer-{next(_numbers)}:"
        return RedisChannelLayer(
            **{"hosts": [redis_server.url], "prefix": prefix, "stats_prefix": f"stats-{prefix}", **options}
        )

    return make


@pytest.fixture
def layer(make_layer: Callable[..., RedisChannelLayer]) -> RedisChannelLayer:
    return make_layer()


@pytest.fixture
def make_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """A function that starts a Redis of the test: ``make_server("--maxmemory", "1mb")``."""
    with ExitStack() as running:

        def make(*options: str) -> Server:
            server = Server(tmp_path_factory.mktemp("redis"), *options)
            running.callback(server.stop)
            server.start()
            return server

        yield make


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    return make_server()


@pytest.fixture
def make_proxy() -> Iterator[Callable[[int], Proxy]]:
    with ExitStack() as running:

        def make(port: int) -> Proxy:
            proxy = Proxy(port)
            running.callback(proxy.close)
            return proxy

        yield make


@pytest.fixture
def make_sockets() -> Iterator[Callable[..., Sockets]]:
    """A function that starts a link of an interface server on a layer."""
    with ExitStack() as running:

        def make(layer: Any, **options: Any) -> Sockets:
            sockets = Sockets(layer, **options)
            running.callback(sockets.stop)
            return sockets

        yield make
