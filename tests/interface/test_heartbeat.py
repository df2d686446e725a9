"""What a real interface server says of itself."""

from __future__ import annotations

import signal
from types import SimpleNamespace

import pytest

from channels_lts import heartbeat
from channels_lts.interface import heartbeat as of_interface
from tests.interface.running import STOCK, request, upgrade
from tests.services import TIMEOUT_SCALE, wait_for


@pytest.mark.system
def test_interface_server_says_what_it_holds_and_goes_without_a_trace(start_interface):
    interface = start_interface("--drain-timeout", "4", settings={"HEARTBEAT_INTERVAL": 0.2})
    layer = interface.layer
    (record,) = wait_for(lambda: heartbeat.interfaces(layer), "the record")
    assert record.pid == interface.process.pid
    assert (record.sockets, record.requests, record.draining) == (0, 0, False)
    with interface.connect() as socket, interface.connect() as page:
        socket.send(upgrade())
        opened = interface.take("websocket.connect")
        interface.reply(opened, accept=True)
        page.send(request("/slow"))
        asked = interface.take("http.request")
        assert opened["reply_channel"].startswith(record.channel)
        holds = wait_for(
            lambda: [one for one in heartbeat.interfaces(layer) if (one.sockets, one.requests) == (1, 1)], "it says so"
        )[0]
        assert holds.counts["websockets"] == 1
        assert holds.stalled < 2 * TIMEOUT_SCALE
        interface.signal(signal.SIGTERM)
        wait_for(lambda: heartbeat.interfaces(layer)[0].draining, "it is said that it drains", 2.5)
        interface.answer(asked)
    assert interface.exit_status() == 0
    assert heartbeat.interfaces(layer) == []


@pytest.mark.system
def test_interface_server_on_a_stock_layer_is_known_too(start_interface):
    interface = start_interface(backend=STOCK)
    (record,) = wait_for(lambda: heartbeat.interfaces(interface.layer), "the record")
    assert record.channel.startswith("daphne.response.")


def test_reactor_that_stands_still_is_seen(monkeypatch):
    link = SimpleNamespace(process_channel="daphne.response.x!")
    server = SimpleNamespace(channel_layer=None, link=link, connections={}, counters={}, draining=False)
    clock = SimpleNamespace(now=5.0)
    monkeypatch.setattr(of_interface, "monotonic", lambda: clock.now)
    beat = of_interface.InterfaceHeartbeat(server)
    clock.now += 12
    assert beat.describe()["stalled"] == 12
    beat._sample()
    assert beat.describe()["stalled"] == 0


@pytest.mark.system
def test_interface_server_that_is_cut_short_keeps_its_record(start_interface):
    """Nobody was told of its sockets: a worker has to find it silent."""
    interface = start_interface()
    wait_for(lambda: heartbeat.interfaces(interface.layer), "the record")
    with interface.connect() as page:
        page.send(request("/slow"))
        interface.take("http.request")
        interface.signal(signal.SIGTERM)
        wait_for(lambda: "draining" in interface.log, "it drains")
        interface.signal(signal.SIGTERM)
        assert interface.exit_status() == 1
    assert len(heartbeat.interfaces(interface.layer)) == 1
