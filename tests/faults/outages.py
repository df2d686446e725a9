"""What the deployment stands on goes away, hangs, is slow or is full: Redis, the network to it, the database, the disk.

Each fault makes sure itself of what it promises while it lasts; no process may end by any of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.faults import uploads
from tests.faults.bystanders import Bystanders, newcomers_are_answered
from tests.faults.fault import Fault, Harm
from tests.faults.proxy import Proxy
from tests.faults.site import Site
from tests.services import wait_for
from tests.visitor import Response, Socket, Visitor

# Seconds, times TIMEOUT_SCALE: until groups are whole, and what is asked is answered, after the end of an outage.
RECOVERY = 10.0
_ANYTHING = Harm(frames=True, sockets=True, http=True, errors=True)
_NOTHING = Harm()
# Bytes that a file of a web worker may have while the disk is full: a part of any image.
_ROOM = 4096


@dataclass
class RedisStopped:
    """Redis ends, and comes back on its port with nothing in it."""

    seconds: float = 10
    name: str = "Redis stopped, restarted empty"
    harm: Harm = _ANYTHING

    def strike(self, site: Site) -> None:
        with _nobody_ends(site), Bystanders(site) as bystanders:
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
        with _nobody_ends(site), Bystanders(site) as bystanders:
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
class RedisSlow:
    """The way to Redis takes *each_way* seconds. Workers then do a fraction of their work, and queues fill up."""

    seconds: float = 10
    each_way: float = 0.2
    name: str = "Redis slow"
    harm: Harm = _ANYTHING

    def strike(self, site: Site) -> None:
        proxy = _proxy(site)
        with _nobody_ends(site), Bystanders(site) as bystanders:
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
        with _nobody_ends(site), Bystanders(site) as bystanders, visitor.connect("/ws/echo/") as socket:
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


@dataclass
class DatabaseStopped:
    """PostgreSQL ends, and comes back with its data."""

    seconds: float = 10
    name: str = "database stopped"
    harm: Harm = _ANYTHING

    def strike(self, site: Site) -> None:
        assert site.postgres is not None
        visitor = site.stack.visitor().be_guest("without-database")
        with _nobody_ends(site), Bystanders(site) as bystanders, visitor.connect("/ws/") as socket:
            socket.receive_stream("system", "welcome")
            site.postgres.away()
            try:
                socket.send_stream("chat", type="send", room="lobby", body="lost", id="while-away")
                assert error_frame(socket)["code"] == "internal"
                assert say(visitor, "lost").status in {500, 503}
                report = site.stack.get("/healthz")
                assert (report.status, report.json()["database"]["status"]) == (503, "down")
                bystanders.are_answered(RECOVERY)
                time.sleep(self.seconds)
            finally:
                site.postgres.back()
            # By itself, at the first message: each worker has to find out about the connection that it had.
            for number in range(6):
                assert say(visitor, f"back {number}").status == 201
                socket.send_stream("chat", type="send", room="lobby", body="back", id=f"back-{number}")
                socket.receive_stream("chat", "ack")


@dataclass
class DatabaseHangs:
    """PostgreSQL does nothing, as on a machine that swaps, while its connections stay. Whoever needs it waits."""

    seconds: float = 10
    name: str = "database hangs"
    harm: Harm = _ANYTHING

    def strike(self, site: Site) -> None:
        assert site.postgres is not None
        assert site.postgres.process is not None
        visitor = site.stack.visitor().be_guest("hanging-database")
        with _nobody_ends(site), Bystanders(site) as bystanders:
            processes = [site.postgres.process.pid, *_children(site.postgres.process.pid)]
            try:
                for pid in processes:
                    os.kill(pid, signal.SIGSTOP)
                time.sleep(self.seconds)
            finally:
                for pid in reversed(processes):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)
            wait_for(lambda: say(visitor, "awake").status == 201, "the database is used again", RECOVERY)
            bystanders.hear_again(RECOVERY)
            bystanders.are_answered(RECOVERY)


@dataclass
class DiskFull:
    """No file of a web worker may grow: what writes beyond gets a part of it written, and then an error.

    That needs no rights and no disk of its own; what the kernel says is "file too large" for "no space left".
    """

    seconds: float = 10
    name: str = "disk full for uploads"
    harm: Harm = _NOTHING

    def strike(self, site: Site) -> None:
        visitor = site.stack.visitor().be_guest("disk")
        with _nobody_ends(site):
            pids = site.pids("workers:web").values()
            try:
                for pid in pids:
                    _limit_files(pid, _ROOM)
                no_image_is_taken(site, visitor)
                time.sleep(self.seconds)
            finally:
                for pid in pids:
                    _limit_files(pid, resource.RLIM_INFINITY)
            assert uploads.post(visitor)


FAULTS: tuple[Fault, ...] = (
    RedisStopped(),
    RedisSilent(),
    RedisSlow(),
    RedisFull(),
    DatabaseStopped(),
    DatabaseHangs(),
    DiskFull(),
)


def no_image_is_taken(site: Site, visitor: Visitor) -> None:
    """Make sure that an uploader is told clearly, that nothing of the image is left, and that text is taken."""
    before = uploads.Stored.at(site)
    for image in (uploads.SMALL, uploads.LARGE):
        answer = uploads.upload(visitor, image)
        assert answer.status == 503, (answer.status, answer.body[:500])
        assert answer.json()["error"]["code"] == "unavailable"
    after = uploads.Stored.at(site)
    assert after.orphans <= before.orphans, "a part of an image was left on the disk"
    assert after.named == before.named, "a message was stored without its image"
    assert say(visitor, "text needs no disk").status == 201


def say(visitor: Visitor, text: str) -> Response:
    """Post a message by HTTP."""
    body = json.dumps({"body": text}).encode()
    headers = {"Content-Type": "application/json", "X-CSRFToken": visitor.cookies["csrftoken"], "Origin": visitor.url}
    return visitor.request("POST", "/rooms/lobby/messages/", body, headers)


def error_frame(socket: Socket) -> dict[str, object]:
    """Return the next error on whichever stream."""
    while True:
        payload = socket.receive()["payload"]
        if payload["type"] == "error":
            return payload


def refusal(visitor: Visitor, path: str) -> int:
    """Return the status by which a handshake is refused; 0 where it is not."""
    import websocket

    try:
        with visitor.connect(path):
            return 0
    except websocket.WebSocketBadStatusException as error:
        return error.status_code


def close_code(socket: Socket) -> int:
    """Read until the server closes; returns the code."""
    import websocket

    while True:
        # Not recv(), which answers the closing frame, and may find nobody there any more.
        frame = socket.raw.recv_frame()
        if frame.opcode == websocket.ABNF.OPCODE_CLOSE:
            return int.from_bytes(frame.data[:2], "big")


@contextlib.contextmanager
def _nobody_ends(site: Site) -> Iterator[None]:
    """Make sure that no process ends within."""
    before = site.pids()
    yield
    site.unchanged(before)


def _proxy(site: Site) -> Proxy:
    assert site.redis_proxy is not None, "the site has to be proxied"
    return site.redis_proxy


def _limit_files(pid: int, size: int) -> None:
    """Let no file that process *pid* writes grow beyond *size* bytes."""
    _soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard))


def _children(pid: int) -> list[int]:
    """Return the process ids of what *pid* has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
