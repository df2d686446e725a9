"""Consumers that hang, leak, raise, kill their process or want it to exit, in the pool `background` and on a socket."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from channels_lts import heartbeat
from tests.faults import bad
from tests.faults.bystanders import layer_of
from tests.faults.fault import Fault, Harm
from tests.faults.site import Site
from tests.services import wait_for
from tests.visitor import Socket

# Seconds, times TIMEOUT_SCALE, until something that is said to happen by itself has happened.
SOON = 15.0
_POOL = "workers:background"
# MiB of one leak; tests.faults.settings says at how many in all a worker ends.
_LEAK = 40
_NOTHING = Harm()
_FRAMES = Harm(frames=True)


@dataclass
class ConsumerHangs:
    """One never ends: it is named in log and status, and the others of its pool work on."""

    seconds: float = 10
    name: str = "a consumer hangs"
    harm: Harm = _NOTHING

    def strike(self, site: Site) -> None:
        before = site.pids()
        assert len([name for name in before if name.startswith(_POOL)]) > 1, "the pool has to have another worker"
        [hanging] = send(site, "hangs")
        try:
            wait_for(
                lambda: in_logs(site, "consumer tests.faults.bad.hangs has been running"), "the log names it", SOON
            )
            wait_for(lambda: "tests.faults.bad.hangs" in busy_problems(site), "the status names it", SOON)
            wait_done(site, send(site, "behaves", 20))
            time.sleep(self.seconds)
            assert done(site)[hanging] == 0
            wait_done(site, send(site, "behaves", 20))
        finally:
            release(site, lambda: wait_done(site, [hanging]))
        wait_done(site, send(site, "behaves"))
        site.unchanged(before)


@dataclass
class ConsumerLeaks:
    """One keeps memory: its worker finishes, ends with status 0 at --max-rss, and is started afresh."""

    seconds: float = 0
    name: str = "a consumer leaks"
    harm: Harm = _NOTHING

    def strike(self, site: Site) -> None:
        before = site.pids()
        # Ends that were before this do not count.
        known = Counter(_ends(site))
        tokens: list[str] = []

        def one_more() -> bool:
            tokens.extend(send(site, "leaks", mib=_LEAK))
            # The whole pool may have reached its limit at once, and is starting.
            wait_done(site, tokens[-1:], 4 * SOON)
            return bool(Counter(_ends(site)) - known)

        wait_for(one_more, "a worker ends for what it leaked", 4 * SOON)
        # The others of the pool may be as full, and follow.
        ends = set(Counter(_ends(site)) - known)
        assert {status for _, status in ends} == {"exit status 0; expected"}, ends
        names = [name for name, _ in ends]
        assert all("--max-rss" in site.stack.log(name) for name in names), f"the log of {names} does not say why"
        for name in names:
            site.wait_ready(f"workers:{name}")
        wait_done(site, send(site, "behaves", 20))
        assert {done(site)[token] for token in tokens} == {1}, "a message was lost or done twice"
        site.unchanged(before, but=tuple(site.pids(_POOL)))


@dataclass
class ConsumerFails:
    """One raises, or calls sys.exit: that is an error in the log and the status, and nothing else."""

    channel: str
    name: str
    seconds: float = 0
    harm: Harm = _NOTHING

    def strike(self, site: Site) -> None:
        before = site.pids()
        errors = counted(site, "consumer_errors")
        well, bad_ones = send(site, "behaves", 10), send(site, self.channel, 5)
        well += send(site, "behaves", 10)
        wait_done(site, well)
        for token in bad_ones:
            wait_for(lambda token=token: in_logs(site, f"for {token}"), "the log has what was raised", SOON)
        assert in_logs(site, f"error in consumer tests.faults.bad.{self.channel}, for a message on bad.{self.channel}")
        wait_for(lambda: counted(site, "consumer_errors") >= errors + 5, "the status counts the errors", SOON)
        with site.stack.visitor().connect("/ws/bad/") as socket:
            assert ask(socket, self.channel)["code"] == "internal"
            assert ask(socket, "behaves")["type"] == "behaved"
        site.unchanged(before)


@dataclass
class ConsumerKills:
    """One ends its process at once, in the pool and on a socket: others do their work, and the socket stays."""

    seconds: float = 0
    name: str = "a consumer kills its process"
    harm: Harm = _FRAMES

    def strike(self, site: Site) -> None:
        before, known = site.pids(), Counter(_ends(site))
        # In one go, so that they wait together: what was popped with the killer went back before it ran.
        well = send(site, "behaves", 20)
        send(site, "kills")
        well += send(site, "behaves", 20)
        wait_done(site, well)
        with site.stack.visitor().connect("/ws/bad/") as socket:
            assert ask(socket, "behaves")["type"] == "behaved"
            socket.send_stream("bad", type="kills")
            killed = wait_for(lambda: _two(Counter(_ends(site)) - known), "two workers were killed", SOON)
            assert {status for _, status in killed} == {"terminated by SIGKILL; not expected"}
            # The socket is the interface server's.
            assert ask(socket, "behaves")["type"] == "behaved"
        names = [f"workers:{name}" for name, _ in killed]
        for name in names:
            site.wait_ready(name)
        assert {done(site)[token] for token in well} == {1}, "a message was lost or done twice"
        site.unchanged(before, but=tuple(names))


FAULTS: tuple[Fault, ...] = (
    ConsumerHangs(),
    ConsumerLeaks(),
    ConsumerFails("raises", "a consumer raises"),
    ConsumerFails("exits", "a consumer calls sys.exit"),
    ConsumerKills(),
)


def directory(site: Site) -> Path:
    """Where the consumers keep their files."""
    return Path(site.stack.env["VAR_DIR"])


def send(site: Site, what: str, number: int = 1, **content: Any) -> list[str]:
    """Send *number* messages to the consumer *what* of :mod:`tests.faults.bad`; returns their tokens."""
    layer = layer_of(site)
    tokens = [f"{what}-{uuid.uuid4().hex}" for _ in range(number)]
    for token in tokens:
        layer.send(f"bad.{what}", {"token": token, **content})
    return tokens


def done(site: Site) -> Counter[str]:
    """Return how often each message was done."""
    file = bad.done_file(directory(site))
    return Counter(file.read_text().split()) if file.exists() else Counter()


def wait_done(site: Site, tokens: Iterable[str], timeout: float = SOON) -> None:
    tokens = set(tokens)
    wait_for(lambda: tokens <= set(done(site)), f"{len(tokens)} messages are done", timeout)


def ask(socket: Socket, kind: str) -> dict[str, Any]:
    """Send a request to the stream of :class:`tests.faults.bad.BadStream`; returns its answer, or the error."""
    identifier = uuid.uuid4().hex
    socket.send_stream("bad", type=kind, id=identifier)
    while True:
        payload = socket.receive()["payload"]
        if payload.get("id") == identifier:
            return payload


def in_logs(site: Site, text: str) -> bool:
    """Whether a worker of the pool has logged *text*."""
    names = [name.partition(":")[2] for name in site.processes() if name.startswith(_POOL)]
    return any(text in site.stack.log(name) for name in names)


def release(site: Site, wait: Callable[[], Any]) -> None:
    """End whoever hangs, and call *wait*, which returns when that has happened."""
    file = bad.release_file(directory(site))
    file.touch()
    try:
        wait()
    finally:
        file.unlink()


def busy_problems(site: Site) -> str:
    """Return what ``manage.py channelstatus`` has to say of workers that are busy for long."""
    said = site.stack.manage("channelstatus", "--json", check=False)
    # Warnings may come before it.
    problems = json.loads(said[said.index("{") :])["problems"]
    return "\n".join(problem["text"] for problem in problems if problem["kind"] == "busy")


def counted(site: Site, name: str) -> int:
    """Return the sum of all workers' counters *name*, as the status has them."""
    return sum(worker.counts.get(name, 0) for worker in heartbeat.workers(layer_of(site)) or ())


def _ends(site: Site) -> list[tuple[str, str]]:
    """Return which processes have ended so far, and how: ``[("web_00", "exit status 0; expected")]``."""
    lines = [line for line in site.stack.log("supervisord").splitlines() if " exited: " in line]
    said = [line.partition(" exited: ")[2] for line in lines]
    return [(text.split()[0], text.partition("(")[2].rstrip(")")) for text in said]


def _two(ends: Counter[tuple[str, str]]) -> list[tuple[str, str]]:
    return list(ends.elements()) if sum(ends.values()) >= 2 else []
