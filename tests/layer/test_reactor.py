"""Redis in Twisted's reactor: one connection that comes back, and answers each call once."""

from __future__ import annotations

import functools
import time

import pytest
from twisted.internet import defer

from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer import RedisChannelLayer, scripts
from channels_lts.layer.reactor import ReactorRedis
from channels_lts.layer.reactor_process import QueueReader
from channels_lts.layer.scripts import Call
from tests.layer.in_reactor import call, within
from tests.services import free_port, wait_for

pytestmark = pytest.mark.system


@pytest.fixture
def connect():
    """A function that starts a connection of the reactor to a layer's first shard, and lets one wait for it."""
    running = []

    def start(layer, **options):
        ups = []
        connection = call(ReactorRedis, layer, 0, on_up=lambda: ups.append(time.monotonic()), **options)
        connection.ups = ups
        call(connection.start)
        running.append(connection)
        return connection

    yield start
    for connection in running:
        call(connection.stop)


def ask(connection, *command, seconds=10):
    answer = defer.Deferred()
    return call(lambda: (connection.execute((command, answer.callback)), within(answer, seconds))[1])


def run(connection, a_call):
    answer = defer.Deferred()
    return call(lambda: (connection.run(a_call, answer.callback), within(answer))[1])


def test_answers_come_in_the_order_of_the_calls(layer, connect):
    connection = connect(layer)
    wait_for(lambda: connection.up, "the connection")
    answers = []

    def ask_all():
        for n in range(100):
            connection.execute((("ECHO", str(n)), answers.append))

    call(ask_all)
    wait_for(lambda: len(answers) == 100, "all answers")
    assert answers == [str(n).encode() for n in range(100)]


def test_a_script_is_given_to_redis_again_after_script_flush(server, connect):
    layer = RedisChannelLayer(hosts=[server.url])
    connection = connect(layer)
    wait_for(lambda: connection.up, "the connection")
    _, item = layer.encode("work", {"n": 1})
    for _ in range(2):
        server.client.script_flush()
        assert run(connection, layer.send_call({"work": [item]})) == [1]


def test_redis_has_all_scripts_before_anything_is_sent(server, connect):
    server.client.script_flush()
    layer = RedisChannelLayer(hosts=[server.url])
    connection = connect(layer)
    wait_for(lambda: connection.up, "the connection")
    assert all(server.client.script_exists(*(script.sha for script in scripts._ALL)))
    server.client.config_resetstat()
    run(connection, Call(scripts.POP, ["nothing"], [1]))
    assert "cmdstat_eval" not in server.commands()


def test_numbers_are_the_same_as_over_the_blocking_client(layer, connect):
    connection = connect(layer)
    wait_for(lambda: connection.up, "the connection")
    for value in (1785612345.123456, 0.1, 3, 2**40):
        over_blocking = layer._execute(0, [("ECHO", value)])[0]
        assert float(ask(connection, "ECHO", value)) == float(over_blocking) == value


def test_calls_while_redis_is_away_answer_that_it_is(connect):
    port = free_port()
    connection = connect(RedisChannelLayer(hosts=[("127.0.0.1", port)]))
    answer = ask(connection, "PING")
    assert isinstance(answer, LayerUnavailable)
    assert str(answer) == f"Redis at 127.0.0.1:{port} cannot be reached"


def test_attempts_to_reach_a_closed_port_grow_apart(connect, monkeypatch):
    attempts = []
    original = ReactorRedis._connect
    monkeypatch.setattr(ReactorRedis, "_connect", lambda self: (attempts.append(time.monotonic()), original(self))[1])
    connect(RedisChannelLayer(hosts=[("127.0.0.1", free_port())]))
    deadline = time.monotonic() + 3
    wait_for(lambda: time.monotonic() > deadline, "three seconds")
    # 0, 0.05, 0.15, 0.35, 0.75, 1.55 s.
    assert 4 <= len(attempts) <= 7


def test_a_lost_connection_comes_back_and_is_logged_once_each(server, connect, caplog):
    caplog.set_level("INFO", logger="channels_lts.layer.shards")
    connection = connect(RedisChannelLayer(hosts=[server.url]))
    wait_for(lambda: connection.up, "the connection")
    server.stop()
    wait_for(lambda: not connection.up, "the loss")
    server.start()
    wait_for(lambda: connection.up, "the return")
    lines = wait_for(
        lambda: len(said := [line for line in caplog.messages if str(server.port) in line]) == 2 and said, "two lines"
    )
    assert lines[0].startswith(f"lost Redis at 127.0.0.1:{server.port}: ")
    assert lines[1] == f"Redis at 127.0.0.1:{server.port} is back"


def test_calls_under_way_when_the_connection_is_lost_answer_that(quick, server, connect):
    connection = connect(RedisChannelLayer(hosts=[server.url]), silence=30)
    wait_for(lambda: connection.up, "the connection")
    answers = []
    call(lambda: [connection.execute((command, answers.append)) for command in (("BLPOP", "x", 20), ("PING",))])
    server.stop()
    wait_for(lambda: len(answers) == 2, "the answers")
    assert all(isinstance(answer, LayerUnavailable) for answer in answers)


def test_an_error_in_a_callback_costs_the_others_nothing(layer, connect, caplog):
    connection = connect(layer)
    wait_for(lambda: connection.up, "the connection")
    answers = []

    def fail(reply):
        raise ValueError("in a callback")

    call(lambda: [connection.execute((("PING",), callback)) for callback in (fail, answers.append)])
    wait_for(lambda: answers == [b"PONG"], "the second answer")
    assert "in a callback" in caplog.text


def test_a_wrong_password_is_away_and_is_not_shown(make_server, connect, caplog):
    server = make_server("--requirepass", "right")
    url = f"redis://:wrong-one@127.0.0.1:{server.port}/0"
    layer = RedisChannelLayer(hosts=[url])
    connection = connect(layer)
    wait_for(lambda: any(str(server.port) in line for line in caplog.messages), "the loss is logged")
    assert not connection.up
    with pytest.raises(LayerUnavailable) as raised:
        layer.send("work", {})
    assert "wrong-one" not in caplog.text + str(raised.value)
    right = connect(RedisChannelLayer(hosts=[url.replace("wrong-one", "right")]))
    wait_for(lambda: right.up, "the right one is let in")


def test_a_database_other_than_0_is_selected(server, connect):
    layer = RedisChannelLayer(hosts=[server.url.replace("/0", "/3")])
    connection = connect(layer)
    wait_for(lambda: connection.up, "the connection")
    ask(connection, "SET", "here", "1")
    assert layer.connection(0).get("here") == b"1"
    assert server.client.get("here") is None


def test_a_unix_socket_serves_too(make_server, connect, tmp_path):
    server = make_server("--unixsocket", str(tmp_path / "redis.sock"))
    layer = RedisChannelLayer(hosts=[f"unix://{tmp_path}/redis.sock?db=2"])
    connection = connect(layer)
    wait_for(lambda: connection.up, "the connection")
    ask(connection, "SET", "here", "1")
    assert layer.connection(0).get("here") == b"1"
    assert server.client.get("here") is None


@pytest.mark.parametrize(
    ("refuse", "allow"),
    [
        (("SET", "queue", "no list"), ("DEL", "queue")),
        (("ACL", "SETUSER", "default", "-blpop"), ("ACL", "SETUSER", "default", "+blpop")),
        (("ACL", "SETUSER", "default", "-lpop"), ("ACL", "SETUSER", "default", "+lpop")),
    ],
    ids=["no list", "no blpop", "no lpop"],
)
def test_reading_goes_on_after_redis_refused_a_pop(quick, server, refuse, allow):
    layer = RedisChannelLayer(hosts=[server.url])
    server.client.execute_command(*refuse)
    received: list[bytes] = []
    reader = call(QueueReader, layer, 0, "queue", received.extend)
    call(reader.start)
    wait_for(lambda: not layer.shards[0].reachable, "the refusal is noticed")
    before = server.commands()
    deadline = time.monotonic() + 1
    wait_for(lambda: time.monotonic() > deadline, "a second")
    # With pauses, not as often as it can.
    assert sum(server.commands().values()) - sum(before.values()) < 150
    server.client.execute_command(*allow)
    server.client.rpush("queue", "item")
    wait_for(lambda: received == [b"item"], "it reads again")
    call(reader.stop)


def test_a_queue_is_read_in_order_and_in_batches(layer, redis_server):
    batches: list[list[bytes]] = []
    reader = call(QueueReader, layer, 0, layer.queue_key("queue"), batches.append)
    client = layer.connection(0)
    client.rpush(layer.queue_key("queue"), *range(2000))
    call(reader.start)
    wait_for(lambda: sum(map(len, batches)) == 2000, "all items")
    call(reader.stop)
    assert [int(item) for batch in batches for item in batch] == list(range(2000))
    assert len(batches) < 20


def test_what_was_popped_before_the_connection_was_lost_is_handed_on():
    received: list[bytes] = []
    layer = RedisChannelLayer(hosts=[("127.0.0.1", free_port())])
    reader = QueueReader(layer, 0, "queue", received.extend)
    reader._popped_first([b"queue", b"item"])
    reader._popped_more(LayerUnavailable("lost"))
    assert received == [b"item"]


def test_missing_pyopenssl_is_said_clearly(connect, caplog, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "OpenSSL", None)
    port = free_port()
    connect(RedisChannelLayer(hosts=[f"rediss://127.0.0.1:{port}/0"]))
    wait_for(functools.partial(said, caplog, "needs pyOpenSSL and service-identity"), "the log says what is missing")


def said(caplog, text):
    return text in caplog.text
