"""Two deployments that share Redis and database, as on two hosts; with ``OTHER_VENV`` the second is on another Python.

``make test-matrix`` gives it the virtual environment of the newest Python that it tests.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.services import Postgres, Redis, wait_for

pytestmark = pytest.mark.system


@pytest.fixture
def hosts(make_stack: Any, redis_server: Redis, postgres: Postgres) -> Iterator[tuple[Any, Any]]:
    shared = {
        "REDIS_URL": redis_server.url.replace("/0", "/7"),
        "DATABASE_URL": postgres.database("hosts"),
        "SUPERVISOR_INCLUDE": "",
        "INTERFACE_PROCESSES": "1",
        "WEB_WORKERS": "1",
        "SOCKET_WORKERS": "1",
    }
    first = make_stack(**shared)
    second = make_stack(**shared, VENV=os.environ.get("OTHER_VENV", sys.prefix))
    yield first, second
    for stack in (first, second):
        stack.stop()


def joined(stack: Any, name: str) -> tuple[Any, list[str]]:
    """Return a guest's socket that is in the lobby, and the names of those who are there."""
    socket = stack.visitor().be_guest(name).connect("/ws/")
    socket.receive_stream("system", "welcome")
    socket.send_stream("chat", type="join", room="lobby")
    members = socket.receive_stream("chat", "joined")["members"]
    return socket, [person["name"] for person in members]


def say(socket: Any, text: str) -> None:
    socket.send_stream("chat", type="send", room="lobby", body=text, id=text)
    assert socket.receive_stream("chat", "ack")["id"] == text


def test_two_hosts_share_groups_workers_and_people(hosts: tuple[Any, Any]) -> None:
    first, second = hosts
    ann, _ = joined(first, "Ann")
    bo, here = joined(second, "Bo")
    assert here == ["Ann", "Bo"]
    assert ann.receive_stream("presence", "join")["who"]["name"] == "Bo"
    say(ann, "from the first")
    assert bo.receive_stream("chat", "message")["body"] == "from the first"

    # Whose workers are away is served by the other's.
    first.supervisorctl("stop", "workers:*")
    wait_for(lambda: not any("workers:" in name for name in first.pids()), "its workers are gone")
    say(ann, "served by the other")
    say(bo, "served by one's own")
    first.supervisorctl("start", "workers:*")
    first.wait_running()

    # A host that goes takes its people along, and nothing else.
    second.stop()
    assert ann.receive_stream("presence", "leave")["who"]["name"] == "Bo"
    say(ann, "alone")
    assert first.get("/healthz").status == 200
