"""The other ways in, on the supervised stack: tokens over real sockets, datagrams, reminders; and what ends them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
import uuid
from typing import Any

import pytest

from tests.services import TIMEOUT_SCALE, wait_for
from tests.udp_server import Udp

pytestmark = pytest.mark.system

_MAKE = """
import json
from django.contrib.auth import get_user_model
from chat import identity, tokens, webhooks
from chat.models import Room
name = {name!r}
user = get_user_model().objects.create_user(name)
room = Room.objects.create(name=name)
room.memberships.create(user=user, role="owner")
_webhook, hook = webhooks.make(room, identity.of_user(user), "Probe")
token, secret = tokens.make(user, "robot")
print(json.dumps({{"user": user.pk, "slug": room.slug, "hook": hook, "token": secret}}))
"""


class Ways:
    """A person with a token, and their room with a webhook."""

    def __init__(self, stack: Any) -> None:
        self.stack = stack
        self.name = f"ways-{uuid.uuid4().hex[:8]}"
        made = stack.manage("shell", "-c", _MAKE.format(name=self.name)).strip().splitlines()[-1]
        self.made: dict[str, Any] = json.loads(made)

    @property
    def bearer(self) -> str:
        return f"Bearer {self.made['token']}"

    def api(self, path: str, content: dict[str, Any] | None = None) -> Any:
        method, body = ("GET", None) if content is None else ("POST", json.dumps(content).encode())
        headers = {"Authorization": self.bearer, "Content-Type": "application/json"}
        return self.stack.visitor().request(method, f"/api/rooms/{self.made['slug']}/{path}", body, headers).json()

    def bodies(self) -> list[str]:
        """Return the texts of the room, those of a hundred at most."""
        return [message["body"] for message in self.api("messages/?limit=100")["messages"]]

    def nameless(self) -> Any:
        return self.stack.visitor().connect("/ws/?auth=token", origin="https://elsewhere.example")

    def auth(self, socket: Any) -> dict[str, Any]:
        socket.send_stream("system", type="auth", token=self.made["token"])
        return socket.receive_stream("system", "welcome")


@pytest.fixture(scope="module")
def ways(stacks):
    return Ways(stacks("redis"))


@pytest.fixture(scope="module")
def silent(ways):
    """A socket that shows no token: the time that it is left passes while the other tests run."""
    with ways.nameless() as socket:
        yield socket


def closed_with(socket: Any) -> int:
    """Return the code with which *socket* is closed, whatever comes before."""
    while True:
        # One frame as it is: answering a ping of a server that has closed since would fail.
        frame = socket.raw.recv_frame()
        if frame.opcode == 8:
            return int.from_bytes(frame.data[:2], "big")


def test_a_page_elsewhere_talks_after_its_first_frame_and_ends_with_its_token(stack):
    ways = Ways(stack)
    with contextlib.ExitStack() as sockets:
        elsewhere = sockets.enter_context(ways.nameless())
        assert ways.auth(elsewhere)["identity"]["name"] == ways.name
        robot = sockets.enter_context(stack.visitor().connect("/ws/", Authorization=ways.bearer))
        for socket in (elsewhere, robot):
            socket.send_stream("chat", type="join", room=ways.made["slug"])
            socket.receive_stream("chat", "joined")
        robot.send_stream("chat", type="send", room=ways.made["slug"], body="hi", id="m1")
        assert elsewhere.receive_stream("chat", "message")["body"] == "hi"
        began = time.monotonic()
        ways.stack.manage("token", ways.name, "robot", "--revoke")
        assert closed_with(elsewhere) == 4003
        assert closed_with(robot) == 4003
        # Most of it is the command's own start; the sockets are told within a second.
        assert time.monotonic() - began < 10 * TIMEOUT_SCALE
    assert stack.get("/api/rooms/", Authorization=ways.bearer).status == 401


def test_a_reminder_comes_through_the_delay_server_once(ways, silent):
    done = ways.api("messages/", {"body": "/remind 1s look at it", "id": "r1"})
    assert done["done"]["action"] == "remind"
    ways.api("messages/", {"body": "/remind 1s look at it", "id": "r1"})
    wait_for(lambda: f"@{ways.name} look at it" in ways.bodies(), "the reminder", 20)
    ways.api("messages/", {"body": "/remind 1s the other", "id": "r2"})
    wait_for(lambda: f"@{ways.name} the other" in ways.bodies(), "the other reminder", 20)
    assert ways.bodies().count(f"@{ways.name} look at it") == 1


def test_datagrams_reach_the_room_and_none_is_lost_at_the_end(ways, silent, tmp_path):
    # As long as a busy machine takes for all of them.
    server = Udp(tmp_path, "--drain-timeout=60", **ways.stack.env).start()
    with server.client() as client:
        answer = json.loads(client.ask(json.dumps({"hook": ways.made["hook"], "body": "one"}).encode()))
        assert answer["seq"] >= 1
        assert json.loads(client.ask(b"x" * 40 + b" hi")) == {"error": {"code": "not_found"}}
        client.send(*(f"{ways.made['hook']} datagram {number}".encode() for number in range(30)))
        server.terminate()
        answers = [json.loads(client.receive()) for _ in range(30)]
        assert server.exit_status() == 0
    assert len({answer["seq"] for answer in answers}) == 30
    assert sum(body.startswith("datagram ") for body in ways.bodies()) == 30


def test_who_shows_no_token_is_closed_though_workers_restart_meanwhile(ways, silent):
    for name, pid in ways.stack.pids().items():
        if name.startswith("workers:background"):
            os.kill(pid, signal.SIGKILL)
    silent.raw.settimeout(30 * TIMEOUT_SCALE)
    assert closed_with(silent) == 4003
    ways.stack.wait_running()
