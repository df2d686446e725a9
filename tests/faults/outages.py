"""Redis or the way to it goes away, is silent, slow or full; no process may end by that.

Each fault makes sure itself of what it promises while it lasts.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass

import redis

from tests.faults import stores, uploads
from tests.faults.asking import close_code, refusal, say
from tests.faults.bystanders import RECOVERY, Bystanders, newcomers_are_answered, nobody_ends
from tests.faults.fault import Fault, Harm
from tests.faults.proxy import Proxy
from tests.faults.site import Site
from tests.services import wait_for

_ANYTHING = Harm(frames=True, sockets=True, http=True, errors=True)
# Seconds in which a process ends though Redis does not answer it: a few of tests.faults.settings' REDIS_TIMEOUT, one
# after the other.
_ENDS = 15.0
_POOLS = ("workers:web", "workers:socket", "workers:background")


@dataclass
class RedisStopped:
    """Redis ends, and comes back on its port with nothing in it."""

    seconds: float = 10
    name: str = "Redis stopped, restarted empty"
    harm: Harm = _ANYTHING

    def strike(self, site: Site) -> None:
        with nobody_ends(site), Bystanders(site) as bystanders:
            site.redis.stop()
            time.sleep(self.seconds)
            site.redis.start()
            bystanders.hear_again(RECOVERY)
            bystanders.are_answered(RECOVERY)


@dataclass
class RedisSilent:
    """Packets between Redis and everybody get lost. Connections that lost some never work again."""

    seconds: float = 10
    name: str = "Redis cut off half-open"
    harm: Harm = _ANYTHING

    def strike(self, site: Site) -> None:
        proxy = _proxy(site)
        with nobody_ends(site), Bystanders(site) as bystanders:
            proxy.drop()
            try:
                time.sleep(self.seconds)
            finally:
                proxy.pass_()
            bystanders.hear_again(RECOVERY)
            # Whoever speaks before his interface server has noticed is sent away: the others then are not.
            newcomers_are_answered(site, RECOVERY)
            bystanders.are_answered(RECOVERY)


@dataclass
class RestartsWhileRedisSilent:
    """A worker of each pool is told to end while nothing gets through to Redis, and ends within its limit."""

    name: str = "restarts while Redis is cut off"
    harm: Harm = _ANYTHING

    def strike(self, site: Site) -> None:
        proxy = _proxy(site)
        before = site.pids()
        chosen = [next(name for name in sorted(before) if name.startswith(pool)) for pool in _POOLS]
        proxy.drop()
        try:
            for name in chosen:
                os.kill(before[name], signal.SIGTERM)
            for name in chosen:
                wait_for(lambda name=name: _gone(before[name]), f"{name} ends", _ENDS)
        finally:
            proxy.pass_()
        # What was started in their place had to wait for Redis, and did.
        for name in chosen:
            site.wait_ready(name)
        newcomers_are_answered(site, RECOVERY)
        site.unchanged(before, but=tuple(chosen))


@dataclass
class RedisSlow:
    """The way to Redis takes *each_way* seconds. Workers then do a fraction of their work, and queues fill up."""

    seconds: float = 10
    each_way: float = 0.2
    name: str = "Redis slow"
    harm: Harm = _ANYTHING

    def strike(self, site: Site) -> None:
        proxy = _proxy(site)
        with nobody_ends(site), Bystanders(site) as bystanders:
            proxy.delay(self.each_way)
            try:
                until = time.monotonic() + self.seconds
                while time.monotonic() < until:
                    bystanders.hear_again(RECOVERY)
            finally:
                proxy.pass_()
            bystanders.hear_again(RECOVERY)
            bystanders.are_answered(RECOVERY)


@dataclass
class RedisFull:
    """Redis has no memory left, and evicts nothing."""

    seconds: float = 10
    name: str = "Redis at maxmemory"
    harm: Harm = _ANYTHING

    def strike(self, site: Site) -> None:
        visitor = site.stack.visitor().be_guest("full")
        connection = redis.StrictRedis(port=site.redis.port)
        before = uploads.Stored.at(site)
        with nobody_ends(site), Bystanders(site) as bystanders, visitor.connect("/ws/echo/") as socket:
            connection.config_set("maxmemory-policy", "noeviction")
            connection.config_set("maxmemory", 1)
            try:
                assert say(visitor, "full").status == 503
                assert uploads.upload(visitor).status == 503
                assert refusal(visitor, "/ws/echo/") == 503
                socket.raw.send("full")
                assert close_code(socket) == 1013
                time.sleep(self.seconds)
            finally:
                connection.config_set("maxmemory", 0)
            bystanders.hear_again(RECOVERY)
            bystanders.are_answered(RECOVERY)
            wait_for(lambda: uploads.post(visitor), "an image is taken again", RECOVERY)
            assert uploads.Stored.at(site).orphans <= before.orphans, "a file was left that no message has"


FAULTS: tuple[Fault, ...] = (
    RedisStopped(),
    RedisSilent(),
    RestartsWhileRedisSilent(),
    RedisSlow(),
    RedisFull(),
    *stores.FAULTS,
)


def _proxy(site: Site) -> Proxy:
    assert site.redis_proxy is not None, "the site has to be proxied"
    return site.redis_proxy


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
