"""Redis, the network, the database and the disk go away, hang, are slow or full under load, and come back."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from channels_lts import close_codes
from tests.faults import outages, stores
from tests.faults.asking import close_code
from tests.faults.fault import Fault
from tests.faults.load import Load
from tests.faults.site import Site
from tests.services import ROOT, TIMEOUT_SCALE, Service, free_port, listening
from tests.visitor import Visitor

pytestmark = pytest.mark.system

# Seconds that each outage lasts here. What was lost in a silent network is never answered, however short that was.
SHORT = 3.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One of their own: its network can be harmed."""
    with Site(tmp_path_factory.mktemp("outages"), postgres=True, proxied=True) as site:
        yield site


@pytest.fixture(autouse=True)
def well(site: Site) -> None:
    """Whatever the test before has left is over."""
    site.stack.wait_running(60)


@pytest.mark.parametrize(
    "fault",
    [
        outages.RedisStopped(SHORT),
        outages.RedisSilent(SHORT),
        outages.RestartsWhileRedisSilent(),
        outages.RedisSlow(SHORT),
        outages.RedisFull(SHORT),
        stores.DatabaseStopped(SHORT),
        stores.DatabaseHangs(SHORT),
        stores.DiskFull(0),
    ],
    ids=lambda fault: fault.name,
)
def test_an_outage_costs_time_and_no_message(site: Site, fault: Fault) -> None:
    with Load(site) as load:
        load.strike(fault)
        load.finish()


def test_a_chat_socket_that_stayed_while_redis_lost_everything_is_served_or_told_to_come_back(site: Site) -> None:
    ann = site.stack.visitor().be_guest("ann")
    with ann.connect("/ws/") as socket:
        socket.receive_stream("system", "welcome")
        site.redis.restart()
        socket.send_stream("system", type="ping")
        frame = socket.raw.recv_frame()
        if frame.opcode == 8:
            code = int.from_bytes(frame.data[:2], "big")
            assert next(each for each in close_codes.ALL if each.code == code).reconnect, f"closed for good: {code}"
        else:
            assert b"pong" in frame.data, frame.data


def test_an_interface_server_ends_within_its_limit_while_redis_is_silent(site: Site, tmp_path: Path) -> None:
    port, proxy = free_port(), site.redis_proxy
    assert proxy is not None
    command = [sys.executable, "-m", "channels_lts.interface", "-p", str(port), "--drain-timeout", "4"]
    server = Service(tmp_path, [*command, "my_project.asgi:channel_layer"], cwd=ROOT, env=site.stack.env)
    server.launch()
    server.wait_until(lambda: listening(port))
    process = server.process
    assert process is not None
    with Visitor(f"http://127.0.0.1:{port}").connect("/ws/quiet/") as socket:
        socket.raw.send("there")
        assert socket.raw.recv() == "there"
        proxy.drop()
        try:
            process.send_signal(signal.SIGTERM)
            assert close_code(socket) == close_codes.SERVICE_RESTART.code
            # Its departure cannot be told to anybody. On top of the drain comes a REDIS_TIMEOUT or two.
            assert process.wait(10 * TIMEOUT_SCALE) == 0
        finally:
            proxy.pass_()
            server.stop()


def test_a_slow_redis_makes_answers_slow_and_not_more(site: Site) -> None:
    """A frame goes through Redis and back: four ways, each of which takes 0.2 s; twice that is overhead enough."""
    proxy = site.redis_proxy
    assert proxy is not None
    with site.stack.visitor().connect("/ws/echo/") as socket:
        proxy.delay(0.2)
        try:
            for _ in range(3):
                began = time.monotonic()
                socket.raw.send("slowly")
                assert socket.raw.recv() == "slowly"
                assert time.monotonic() - began < 3 * TIMEOUT_SCALE
        finally:
            proxy.pass_()


@pytest.fixture
def tiny_disk(site: Site) -> Iterator[Path]:
    """Where new images go: a file system of its own, too small for any."""
    directory = site.media / "images"
    directory.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8k,mode=0755", "tiny", directory],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"may not mount a small disk here ({mounted.stderr.strip()}); RLIMIT_FSIZE stands in for it")
    try:
        yield directory
    finally:
        subprocess.run(["umount", directory], check=True)


def test_a_disk_without_space_takes_no_image_and_no_part_of_one(site: Site, tiny_disk: Path) -> None:
    stores.no_image_is_taken(site, site.stack.visitor().be_guest("no-space"))
    assert not [path for path in tiny_disk.rglob("*") if path.is_file()]
