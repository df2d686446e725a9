"""Database connections of workers, on a PostgreSQL that goes and comes back; and transactions that are left open."""

from __future__ import annotations

import time
from typing import Any
from unittest.mock import Mock

import dj_database_url
import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler

from channels_lts import database
from channels_lts.database import Connections
from tests import services
from tests.services import wait_for

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def server():
    with services.postgres() as service:
        yield service


@pytest.fixture(scope="module")
def url(server) -> str:
    return server.database("worker")


def restart(server) -> None:
    server.stop()
    server.launch()
    server.wait_until(lambda: services.listening(server.port))


@pytest.fixture
def connection(url, monkeypatch, django_db_blocker):
    """A connection that stays open, as that of a worker thread."""
    handler = ConnectionHandler({"default": {**dj_database_url.parse(url), "CONN_MAX_AGE": None}})
    monkeypatch.setattr(database, "connections", handler)
    with django_db_blocker.unblock():
        yield handler["default"]
        handler["default"].close()


def one(connection) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone()[0]


def test_the_first_consumer_after_a_restart_gets_a_new_connection(server, connection):
    """While the database was away nothing ran: the socket alone says so."""
    checks = Connections()
    assert one(connection) == 1
    checks.make_healthy(time.monotonic())
    restart(server)
    # Not yet time to ask.
    checks._asked = time.monotonic()
    checks.make_healthy(checks._asked)
    assert connection.connection is None, "the old one is closed"
    wait_for(lambda: _works(connection), "the database is there again")


def _works(connection) -> bool:
    try:
        return one(connection) == 1
    except OperationalError:
        return False


def test_a_connection_that_shows_no_socket_is_asked(server, connection, monkeypatch):
    monkeypatch.setattr(database, "_has_news", lambda connection: False)
    checks = Connections()
    assert one(connection) == 1
    restart(server)
    checks.make_healthy(time.monotonic())
    assert connection.connection is None


def test_a_healthy_connection_costs_one_query_a_second_at_most(connection):
    checks = Connections()
    wait_for(lambda: _works(connection), "the database is there")
    connection.is_usable = Mock(wraps=connection.is_usable)
    now = time.monotonic()
    for _ in range(500):
        checks.make_healthy(now)
    assert connection.is_usable.call_count == 1
    checks.make_healthy(now + 2)
    assert connection.is_usable.call_count == 2
    assert connection.connection is not None


def test_a_worker_goes_on_when_the_database_comes_back(make_process, server, url, django_db_blocker):
    """Messages of the outage are errors, those after it are not; idle or not, the process stays."""
    worker = make_process(database=url).start()
    worker.send("query")
    assert worker.results(1) == ["query"]
    server.stop()
    worker.send("query")
    wait_for(lambda: "error in consumer" in worker.log(), "the consumer fails")
    server.launch()
    server.wait_until(lambda: services.listening(server.port))
    with django_db_blocker.unblock():
        wait_for(lambda: _accepts(url), "the database takes connections")
    worker.send("query")
    assert worker.results(1) == ["query"]
    # And idle meanwhile: the very next one succeeds.
    restart(server)
    errors = worker.log().count("error in consumer")
    with django_db_blocker.unblock():
        wait_for(lambda: _accepts(url), "the database takes connections")
    worker.send("query", "query")
    assert worker.results(2) == ["query", "query"]
    assert worker.log().count("error in consumer") == errors


def _accepts(url: str) -> bool:
    handler = ConnectionHandler({"default": dj_database_url.parse(url)})
    try:
        return _works(handler["default"])
    finally:
        handler["default"].close()


def test_d24_nothing_leaves_before_the_commit(make_process, server, url, django_db_blocker):
    """Neither of a consumer that leaves a transaction open, nor of one that turns autocommit off."""
    with django_db_blocker.unblock():
        wait_for(lambda: _accepts(url), "the database takes connections")
    worker = make_process(database=url).start()
    worker.send("table", "insert", "leak", "autocommit", "commit hook", "count")
    assert worker.results(5) == ["table", "insert", "committed", "commit hook", "count"]
    assert worker.results(7, "said")[-1] == 2, "what was left open is rolled back"
    assert worker.log().count("a transaction was left open on default") == 2
    assert "error in consumer" not in worker.log()
