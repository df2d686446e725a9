"""Stock Daphne and stock `runworker`, as processes of their own, on our layer."""

from __future__ import annotations

import os
import sys
import time
import urllib.request

import pytest

from channels_lts.layer import RedisChannelLayer
from tests.compat_project.liveblog.socket_client import SocketClient
from tests.layer.servers import Server
from tests.services import ROOT, Service, free_port, listening, wait_for

pytestmark = pytest.mark.system

PROJECT = "tests.layer.stock_project"


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def stock(own_redis, tmp_path_factory):
    """A stock Daphne and a stock worker; returns Daphne's port."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": PROJECT, "REDIS_URL": own_redis.url, "PYTHONUNBUFFERED": "1"}
    port = free_port()
    commands = [
        [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), f"{PROJECT}:channel_layer"],
        [sys.executable, "-m", "django", "runworker", "-v", "2"],
    ]
    commands[0][1:3] = ["-c", "from daphne.cli import CommandLineInterface as CLI; CLI.entrypoint()"]
    services = [Service(tmp_path_factory.mktemp("stock"), command, cwd=ROOT, env=environment) for command in commands]
    for service in services:
        service.launch()
    daphne, worker = services
    daphne.wait_until(lambda: listening(port))
    worker.wait_until(lambda: "Listening on channels" in worker.output.read_text())
    yield port
    for service in services:
        service.stop()


def test_the_worker_is_the_stock_one():
    from django.core.management import load_command_class

    # The project's settings put channels first; what then runs is this.
    assert load_command_class("channels", "runworker").__module__ == "channels.management.commands.runworker"


def test_http(stock):
    with urllib.request.urlopen(f"http://127.0.0.1:{stock}/a/path", timeout=20) as response:
        assert response.read() == b"hello /a/path"


def test_echo_and_groups(stock, own_redis):
    layer = RedisChannelLayer(hosts=[own_redis.url], prefix="stock:")
    sockets = [SocketClient(stock, "/") for _ in range(3)]
    assert {socket.status for socket in sockets} == {101}
    sockets[0].send("an echo")
    assert sockets[0].receive() == "an echo"
    wait_for(lambda: len(layer.group_channels("all")) == 3, "all are members")
    sockets[1].send("all: a message")
    assert [socket.receive() for socket in sockets] == ["all: a message"] * 3
    sockets[2].close()
    wait_for(lambda: len(layer.group_channels("all")) == 2, "one has left")
    for socket in sockets[:2]:
        socket.close()


def test_d16_idle_daphne_waits_on_connections_that_stay(stock, own_redis):
    socket = SocketClient(stock, "/")
    socket.send("first")
    assert socket.receive() == "first"
    client = own_redis.client
    connections = {each["id"] for each in client.client_list()}
    received = client.info("stats")["total_connections_received"]
    for n in range(20):
        socket.send(f"echo {n}")
        assert socket.receive() == f"echo {n}"
    assert {each["id"] for each in client.client_list()} == connections
    assert client.info("stats")["total_connections_received"] == received
    # It does not ask every 50 ms either: it waits.
    before, began = own_redis.commands(), time.monotonic()
    wait_for(lambda: time.monotonic() - began > 2, "two seconds")
    after = own_redis.commands()
    assert sum(after.values()) - sum(before.values()) < 40
    socket.close()


def test_d8_stock_daphne_announces_its_groups_again(stock, own_redis):
    layer = RedisChannelLayer(hosts=[own_redis.url], prefix="stock:")
    socket = SocketClient(stock, "/")
    socket.send("here")
    assert socket.receive() == "here"
    wait_for(lambda: len(layer.group_channels("all")) == 1, "the member")
    own_redis.client.flushall()
    wait_for(lambda: len(layer.group_channels("all")) == 1, "the member is announced again", 10)
    layer.send_group("all", {"text": "still here"})
    assert socket.receive() == "still here"
    socket.close()
