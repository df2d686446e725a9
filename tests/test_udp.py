"""The UDP interface server, over real sockets and a real Redis; the test is the worker."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid
from typing import Any

import pytest

from channels_lts import heartbeat, udp, udp_address
from tests import delay_site
from tests.services import ROOT, TIMEOUT_SCALE, wait_for
from tests.udp_server import Udp

OURS, STOCK = "channels_lts.layer.RedisChannelLayer", "asgi_redis.RedisChannelLayer"


class Site:
    """A server on a prefix of its own, and the layer that leads to it."""

    def __init__(self, directory: Any, redis_url: str, backend: str, *flags: str) -> None:
        prefix = f"udp-{uuid.uuid4().hex}:"
        # Its routing is empty: the test takes what comes.
        variables = {"DJANGO_SETTINGS_MODULE": "tests.delay_site", "REDIS_URL": redis_url, "PREFIX": prefix}
        self.layer = delay_site.layer(redis_url, prefix, backend)
        self.server = Udp(directory, *flags, **variables, BACKEND=backend).start()

    def take(self) -> dict[str, Any]:
        return wait_for(lambda: self.layer.receive([udp.CHANNEL])[1], f"a datagram; {self.server.log}")

    def nothing(self) -> bool:
        return self.layer.receive([udp.CHANNEL])[0] is None

    def reply(self, message: dict[str, Any], **content: Any) -> None:
        self.layer.send(message["reply_channel"], content)


@pytest.fixture(scope="module", params=[OURS, STOCK], ids=["ours", "stock"])
def site(request, redis_server, tmp_path_factory):
    made = Site(
        tmp_path_factory.mktemp("udp"), redis_server.url, request.param, "--max-size=1000", "--drain-timeout=0.1"
    )
    yield made
    made.server.stop()


@pytest.mark.parametrize(
    ("host", "port", "name"),
    [
        ("192.0.2.1", 4711, "c0000201-1267"),
        ("0.0.0.0", 0, "00000000-0000"),
        ("::1", 65_535, "00000000000000000000000000000001-ffff"),
        ("fe80::1%eth0", 1, "fe800000000000000000000000000001-0001"),
    ],
)
def test_an_address_is_the_end_of_a_channels_name(host, port, name):
    assert udp_address.packed(host, port) == name
    assert udp_address.unpacked(name) == (host.partition("%")[0], port)


@pytest.mark.parametrize("name", ["", "x", "c0000201", "c0000201-", "c0000201-12677", "C0000201-1267", "c0000201_1267"])
def test_what_is_no_address_leads_nowhere(name):
    assert udp_address.unpacked(name) is None


@pytest.mark.parametrize(
    "options",
    [["--port=0"], ["--port=65536"], ["--port=x"], [], ["--port=5", "--max-size=0"], ["--port=5", "--max-size=65508"],
     ["--port=5", "--drain-timeout=-1"]],
)  # fmt: skip
def test_bad_options_are_refused(options):
    from django.core.management import CommandError, call_command

    with pytest.raises((CommandError, ValueError)):
        call_command("runudp", *options)


@pytest.mark.system
class TestServing:
    def test_a_datagram_is_a_message_after_the_specification_and_its_reply_a_datagram(self, site):
        with site.server.client() as client:
            client.send(b"\x00\xff hello")
            message = site.take()
            assert message["data"] == b"\x00\xff hello"
            assert list(message["client"]) == ["127.0.0.1", client.port]
            assert list(message["server"]) == ["127.0.0.1", site.server.port]
            assert message["reply_channel"].startswith("udp.send.")
            for number in range(3):
                # As many as one likes.
                site.reply(message, data=b"%d" % number)
            assert [client.receive() for _ in range(3)] == [b"0", b"1", b"2"]

    def test_each_hears_what_is_theirs(self, site):
        with site.server.client() as ann, site.server.client() as ben:
            ann.send(b"ann")
            ben.send(b"ben")
            for message in (site.take(), site.take()):
                site.reply(message, data=message["data"] * 2)
            assert ann.receive() == b"annann"
            assert ben.receive() == b"benben"

    def test_an_empty_one_is_one_too_and_one_that_is_too_large_is_dropped(self, site):
        with site.server.client() as client:
            client.send(b"x" * 1001, b"", b"x" * 1000)
            assert [len(site.take()["data"]) for _ in range(2)] == [0, 1000]
            assert site.nothing()
        wait_for(lambda: "datagrams too large" in site.server.log, "the log")

    def test_replies_that_cannot_be_sent_harm_nobody(self, site):
        with site.server.client() as client:
            client.send(b"x")
            message = site.take()
            process = message["reply_channel"].partition("!")[0] + "!"
            for channel in (process + "nobody", process, process + "c0000201-0000"):
                site.layer.send(channel, {"data": b"x"})
            for content in ({}, {"data": "text"}, {"data": None}, {"data": b"x" * 65_508}, {"close": True}):
                site.reply(message, **content)
            site.reply(message, data=b"and this")
            assert client.receive() == b"and this"

    def test_a_burst_arrives_whole(self, site):
        with site.server.client() as client:
            client.send(*(b"%d" % number for number in range(2000)))
            got = [int(site.take()["data"]) for _ in range(2000)]
        assert got == list(range(2000))


@pytest.mark.system
def test_it_stands_among_the_interface_servers(site):
    def here():
        return [found for found in heartbeat.interfaces(site.layer) if found.pid == site.server.process.pid]

    (found,) = wait_for(here, "its record")
    assert found.channel.startswith("udp.send.")


@pytest.mark.system
@pytest.mark.parametrize("backend", [OURS, STOCK], ids=["ours", "stock"])
def test_sigterm_loses_nothing_that_was_received_and_waits_for_the_replies(redis_server, tmp_path, backend):
    site = Site(tmp_path, redis_server.url, backend)
    # A stock layer takes its time for each reply.
    count = 1500 if backend == OURS else 50
    with site.server.client() as client:
        client.send(*(b"%d" % number for number in range(count)))
        site.server.terminate()
        messages = [site.take() for _ in range(count)]
        assert [int(message["data"]) for message in messages] == list(range(count))
        wait_for(lambda: not site.server.ready_file.exists(), "it says that it ends")
        assert site.server.process.poll() is None
        # All of one client have one reply channel, and each waits for a reply of its own.
        for message in messages[1:]:
            site.reply(message, data=b"reply")
            assert client.receive() == b"reply"
        assert site.server.process.poll() is None
        site.reply(messages[0], data=b"late")
        assert client.receive() == b"late"
        assert site.server.exit_status() == 0
    assert f"{count} received" in site.server.log


@pytest.mark.system
def test_what_finds_its_channel_full_is_dropped_and_counted(redis_server, tmp_path):
    # The layer of delay_site takes 10,000.
    site = Site(tmp_path, redis_server.url, OURS, "--drain-timeout=0")
    with site.server.client() as client:
        for _ in range(105):
            client.send(*[b"x"] * 100)
            time.sleep(0.001)
        wait_for(lambda: "datagrams to a full channel" in site.server.log, "the log")
        site.server.stop()
    assert "500 datagrams to a full channel" in site.server.log.rpartition("ended:")[2]


@pytest.mark.system
def test_an_address_that_is_taken_is_told(redis_server):
    variables = {"DJANGO_SETTINGS_MODULE": "tests.delay_site", "REDIS_URL": redis_server.url, "BACKEND": STOCK}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        ran = subprocess.run(
            [sys.executable, "-m", "django", "runudp", f"--port={port}"], cwd=ROOT, env={**os.environ, **variables},
            capture_output=True, text=True, timeout=60 * TIMEOUT_SCALE, check=False,
        )  # fmt: skip
    assert ran.returncode == 1
    assert f"cannot listen on UDP 127.0.0.1 port {port}: Address already in use" in ran.stderr
