"""The channel layer on Redis. What it promises, and what it does not, is in docs/layer.md."""

from __future__ import annotations

import re
from typing import Any

import asgi_redis
from redis.connection import SSLConnection
from redis.sentinel import SentinelConnectionPool

from channels_lts import conf
from channels_lts.layer.groups import Groups
from channels_lts.layer.receiving import Receiving
from channels_lts.layer.sending import Sending
from channels_lts.layer.shards import UNAVAILABLE, describe
from channels_lts.layer.statistics import Statistics
from channels_lts.layer.tls import TLSConnection


class Layer(Sending, Receiving, Groups, Statistics):
    """What the variants of the channel layer have in common; it stands before a class of asgi_redis.

    Safe for use by several threads. Blocking; for Twisted's reactor see :mod:`channels_lts.layer.reactor`.
    """

    extensions = ["groups", "flush", "statistics", "twisted"]

    def __str__(self) -> str:
        # Not asgi_redis's, which shows the URLs with their passwords.
        return f"{type(self).__name__}({', '.join(shard.name for shard in self.shards)})"

    def flush(self) -> None:
        """Remove all messages, groups and statistics. Running interface servers announce their groups again."""
        for index in range(self.ring_size):
            for prefix in (self.prefix, self.stats_prefix):
                try:
                    connection = self.connection(index)
                    for key in connection.scan_iter(match=escaped(prefix) + "*", count=1000):
                        connection.delete(key)
                except UNAVAILABLE as error:
                    raise self._unavailable(index, error) from error
        self._forget_all()


def escaped(prefix: str) -> str:
    """Return a pattern of Redis that matches *prefix* and nothing else."""
    return re.sub(r"([*?\[\]\\])", r"\\\1", prefix)


class RedisChannelLayer(Layer, asgi_redis.RedisChannelLayer):
    """A channel layer on one Redis, or on several that share the work; it takes the arguments of asgi_redis's.

    ``hosts`` lists the shards: URLs (``redis://``, ``rediss://``, ``unix://``) or pairs of host and port.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._set_up()

    def _generate_connections(self, hosts: list[str], redis_kwargs: dict[str, Any]) -> list[Any]:
        connections: list[Any] = []
        for host in hosts:
            [connection] = super()._generate_connections([host], {**_defaults(host), **redis_kwargs})
            if connection.connection_pool.connection_class is SSLConnection:
                connection.connection_pool.connection_class = TLSConnection
            connections.append(connection)
        return connections

    def _shard_names(self) -> list[str]:
        return [describe(connection.connection_pool.connection_kwargs) for connection in self._connection_list]


class RedisSentinelChannelLayer(Layer, asgi_redis.RedisSentinelChannelLayer):
    """The same on Redis servers that Sentinel watches; it takes the arguments of asgi_redis's class of this name.

    A connection that is made anew asks Sentinel for the master, so a failover is followed without a refresh interval.
    """

    def __init__(self, *args: Any, connection_kwargs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        self._masters: dict[str, Any] = {}
        connection_kwargs = {**_defaults(""), **(connection_kwargs or {})}
        # asgi_redis refuses a time limit below this one, because it blocks in replies for so long. We do not.
        self.blpop_timeout = 0
        super().__init__(*args, connection_kwargs=connection_kwargs, **kwargs)
        del self.blpop_timeout
        self._set_up()

    def _master_for(self, service_name: str) -> Any:
        # asgi_redis makes a new pool, and so a new connection, for every call.
        if service_name not in self._masters:
            self._masters[service_name] = self._sentinel.master_for(service_name, connection_pool_class=_MasterPool)
        return self._masters[service_name]

    def _shard_names(self) -> list[str]:
        return [f"Redis service {name}" for name in self.services]


class _MasterPool(SentinelConnectionPool):
    """Connections to the master of the moment."""

    def get_master_address(self) -> Any:
        # After one failover redis-py 2.10.6 closes all connections, those in use by other threads too, whenever it
        # makes one. Sentinel closes those to the old master itself.
        return self.sentinel_manager.discover_master(self.service_name)


def _defaults(host: str) -> dict[str, Any]:
    """Return what keeps a connection from hanging for ever; unix sockets know only one of them."""
    timeout = {"socket_timeout": conf.get("REDIS_TIMEOUT")}
    if host.startswith("unix://"):
        return timeout
    return {**timeout, "socket_connect_timeout": conf.get("REDIS_TIMEOUT"), "socket_keepalive": True}
