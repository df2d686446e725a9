"""The database or the disk goes away, hangs or is full. Each fault makes sure itself of what it promises meanwhile."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.faults import uploads
from tests.faults.asking import error_frame, say
from tests.faults.bystanders import RECOVERY, Bystanders, nobody_ends
from tests.faults.fault import Fault, Harm
from tests.faults.site import Site
from tests.services import wait_for
from tests.visitor import Visitor

_ANYTHING = Harm(frames=True, sockets=True, http=True, errors=True)
_NOTHING = Harm()
# Bytes that a file of a web worker may have while the disk is full: a part of any image.
_ROOM = 4096


@dataclass
class DatabaseStopped:
    """PostgreSQL ends, and comes back with its data."""

    seconds: float = 10
    name: str = "database stopped"
    harm: Harm = _ANYTHING

    def strike(self, site: Site) -> None:
        assert site.postgres is not None
        visitor = site.stack.visitor().be_guest("without-database")
        with nobody_ends(site), Bystanders(site) as bystanders, visitor.connect("/ws/") as socket:
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
                # It listens before it lets anybody in.
                wait_for(lambda: accepts(site), "the database takes connections", RECOVERY)
            # By itself, at the first message: each worker has to find out about the connection that it had.
            for number in range(6):
                answer = say(visitor, f"back {number}")
                assert answer.status == 201, (number, answer.status, answer.body[:200])
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
        with nobody_ends(site), Bystanders(site) as bystanders:
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
        with nobody_ends(site):
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


FAULTS: tuple[Fault, ...] = (DatabaseStopped(), DatabaseHangs(), DiskFull())


def accepts(site: Site) -> bool:
    """Whether the database lets somebody in."""
    try:
        psycopg.connect(site.stack.env["DATABASE_URL"], connect_timeout=1).close()
    except psycopg.OperationalError:
        return False
    return True


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


def _limit_files(pid: int, size: int) -> None:
    """Let no file that process *pid* writes grow beyond *size* bytes."""
    _soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard))


def _children(pid: int) -> list[int]:
    """Return the process ids of what *pid* has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
