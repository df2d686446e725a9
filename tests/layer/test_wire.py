"""Commands and replies over one connection."""

from __future__ import annotations

import pytest

from channels_lts.layer.wire import NotSent, exchange
from tests.services import free_port

pytestmark = pytest.mark.system


@pytest.fixture
def client(redis_server):
    import redis

    return redis.StrictRedis.from_url(redis_server.url)


def test_replies_come_in_order_and_refusals_among_them(client):
    replies = exchange(client, [("ECHO", "1"), ("NO SUCH", "command"), ("ECHO", "2")])
    assert replies[0::2] == [b"1", b"2"]
    assert "unknown command" in str(replies[1])


def test_a_reply_that_nobody_waited_for_is_not_taken_for_the_next_one(client, monkeypatch):
    connection = client.connection_pool.make_connection()
    client.connection_pool._available_connections.append(connection)
    read = connection.read_response

    def interrupted():
        # As by an exception that a signal handler raises between command and reply.
        connection.read_response = read
        raise KeyboardInterrupt

    connection.read_response = interrupted
    with pytest.raises(KeyboardInterrupt):
        exchange(client, [("ECHO", "first")])
    assert exchange(client, [("ECHO", "second")]) == [b"second"]


def test_a_connection_that_was_closed_meanwhile_is_made_anew(server):
    client = server.client
    assert exchange(client, [("ECHO", "1")]) == [b"1"]
    server.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert exchange(client, [("ECHO", "2")]) == [b"2"]


def test_nothing_was_sent_where_there_is_no_connection():
    import redis

    with pytest.raises(NotSent):
        exchange(redis.StrictRedis(port=free_port()), [("PING",)])
