"""The supervised stack end to end: what people and operators meet, each thing once, on real parts."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.images import png
from tests.services import ROOT, Redis, wait_for
from tests.supervised import SECRET_KEY

pytestmark = pytest.mark.system


@pytest.fixture
def ann(stack):
    return stack.visitor().be_guest("ann")


def refused(connect, *arguments, **options) -> int:
    """Return the status by which the handshake was refused."""
    import websocket

    with pytest.raises(websocket.WebSocketBadStatusException) as error:
        connect(*arguments, **options)
    return error.value.status_code


def joined(visitor, room="lobby"):
    """Return a socket on /ws/ that is in *room*."""
    socket = visitor.connect("/ws/")
    socket.receive_stream("system", "welcome")
    socket.send_stream("chat", type="join", room=room)
    socket.receive_stream("chat", "joined")
    return socket


def close_code(socket) -> int:
    """Read until the server closes; returns the code."""
    import websocket

    while True:
        # Not recv(), which answers the closing frame, and may find nobody there any more.
        frame = socket.raw.recv_frame()
        if frame.opcode == websocket.ABNF.OPCODE_CLOSE:
            return int.from_bytes(frame.data[:2], "big")


def test_pages_are_served(stack):
    page = stack.get("/")
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert stack.get("/rooms/lobby/").status == 200
    assert stack.get("/nowhere/").status == 404


def test_echo_returns_text_as_text_and_bytes_as_bytes(stack):
    with stack.visitor().connect("/ws/echo/") as socket:
        for text in ("hello", "你好", "x" * 100_000):
            socket.raw.send(text)
            assert socket.raw.recv() == text
        for data in (b"\x00\xff\x80 not text", bytes(range(256)) * 400):
            socket.raw.send_binary(data)
            assert socket.raw.recv() == data


def test_two_people_talk_on_the_one_room_socket(stack, ann):
    ben = stack.visitor().be_guest("ben")
    with ann.connect("/ws/chat/lobby/") as hers, ben.connect("/ws/chat/lobby/") as his:
        hers.send({"message": "hello, Ben"})
        for socket in (hers, his):
            frame = socket.receive_with("message")
            assert (frame["message"], frame["author"]) == ("hello, Ben", "ann")
        hers.raw.send("{not json")
        assert hers.receive_with("error")["error"]["code"] == "malformed"
        his.send({"message": "and still here"})
        assert hers.receive_with("message")["message"] == "and still here"


def test_two_people_talk_on_streams_and_what_they_say_is_kept(stack, ann):
    with joined(ann) as hers, joined(stack.visitor().be_guest("ben")) as his:
        assert hers.receive_stream("presence", "join")["who"]["name"] == "ben"
        hers.send_stream("chat", type="send", room="lobby", body="kept", id="mine-1")
        ack = hers.receive_stream("chat", "ack")
        message = his.receive_stream("chat", "message")
        assert (ack["id"], ack["seq"]) == ("mine-1", message["seq"])
        his.send_stream("chat", type="history", room="lobby", limit=1)
        assert his.receive_stream("chat", "history")["messages"][0]["body"] == "kept"


@pytest.mark.parametrize("path", ["/ws/", "/ws/chat/lobby/"])
def test_nobody_in_particular_and_other_origins_are_refused(stack, ann, path):
    assert refused(stack.visitor().connect, path) == 403
    assert refused(ann.connect, path, origin="http://evil.example.com") == 403
    with ann.connect(path) as socket:
        assert socket.raw.connected


def test_an_uploaded_image_becomes_a_thumbnail_in_the_background(stack, ann):
    with joined(ann) as socket:
        posted = ann.upload("/rooms/lobby/images/", "image", png(800, 600))
        assert posted.status == 201, posted.text
        assert socket.receive_stream("jobs", "done")["job"] == posted.json()["job"]
        message = next(
            message
            for message in ann.get("/rooms/lobby/messages/?limit=5").json()["messages"]
            if message["id"] == posted.json()["message"]["id"]
        )
    thumbnail = ann.get(message["image"]["thumbnail"])
    assert (thumbnail.status, thumbnail.body[:4] != b"") == (200, True)
    assert len(thumbnail.body) < 100_000


def test_long_poll_hears_of_the_next_message(stack, ann):
    with ann.connect("/ws/chat/lobby/") as socket:
        socket.send({"message": "before"})
        since = socket.receive_with("message")["seq"]
        with subprocess.Popen(
            [sys.executable, "-c", f"import urllib.request as u; print(u.urlopen(u.Request({stack.url!r}"
             f" + '/poll/lobby/?since={since}', headers={{'Cookie': {ann.cookie!r}}})).read().decode())"],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "no_proxy": "*"},
        ) as poll:  # fmt: skip
            socket.send({"message": "after"})
            said, _ = poll.communicate(timeout=30)
    assert [message["body"] for message in json.loads(said)["messages"]][:1] == ["after"]


def test_announce_reaches_everybody_or_one_room(stack, ann):
    with joined(ann) as inside, stack.visitor().be_guest("ben").connect("/ws/") as outside:
        outside.receive_stream("system", "welcome")
        stack.manage("announce", "only for the lobby", "--room", "lobby")
        stack.manage("announce", "for everybody")
        texts = [inside.receive_stream("system", "announcement")["text"] for _ in range(2)]
        assert texts == ["only for the lobby", "for everybody"]
        assert outside.receive_stream("system", "announcement")["text"] == "for everybody"


def test_a_plain_python_process_reaches_the_browsers(stack, ann):
    with joined(ann) as socket:
        command = [sys.executable, "docs/examples/plain_python.py", stack.env["REDIS_URL"], "from outside"]
        if stack.env["CHANNEL_LAYER"] == "stock":
            command.append("--stock")
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        environment.pop("DJANGO_SETTINGS_MODULE", None)
        subprocess.run(command, cwd=ROOT, check=True, env=environment)
        assert socket.receive_stream("system", "announcement")["text"] == "from outside"


def test_disconnect_closes_the_sockets_of_a_room_for_good(stack, ann):
    with joined(ann) as inside, ann.connect("/ws/chat/lobby/") as plain, ann.connect("/ws/") as outside:
        stack.manage("disconnect", "--room", "lobby")
        assert close_code(inside) == 4001
        assert close_code(plain) == 4001
        outside.receive_stream("system", "welcome")
        outside.send_stream("system", type="ping")
        outside.receive_stream("system", "pong")


def test_the_delay_server_delivers_later(stack, ann):
    script = """
import json
from channels import Channel
from chat.models import Client
channel = Client.objects.filter(name="ann").latest("pk").channel_name
content = {"text": json.dumps({"late": True})}
Channel("asgi.delay").send({"channel": channel, "content": content, "delay": 300})
"""
    with ann.connect("/ws/chat/lobby/") as socket:
        socket.send({"message": "here"})
        socket.receive_with("message")
        stack.manage("shell", "-c", script)
        assert socket.receive_with("late") == {"late": True}


def test_healthz_names_the_pool_that_is_missing(stack):
    stack.wait_running()
    stack.supervisorctl("stop", "workers:background_00")
    try:
        wait_for(lambda: stack.get("/healthz").status == 503, "/healthz notices", 20)
        report = stack.get("/healthz").json()
        assert "thumbnail" in json.dumps(report["workers"])
        assert report["database"]["status"] == report["layer"]["status"] == "ok"
    finally:
        stack.supervisorctl("start", "workers:background_00")
    assert stack.wait_running()


def test_a_killed_redis_is_followed_by_a_stack_that_serves(stack, ann):
    """Stock workers end when Redis does; supervisord brings all of it back."""
    before = stack.wait_running()
    os.kill(before["redis"], 9)
    wait_for(lambda: stack.pids().get("redis") not in {None, before["redis"]}, "a new Redis", 30)
    stack.wait_running(60)
    with ann.connect("/ws/chat/lobby/") as socket:
        socket.send({"message": "back again"})
        assert socket.receive_with("message")["message"] == "back again"


def test_production_settings_pass_the_deployment_check(redis_server: Redis, tmp_path):
    environment = {
        **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}},
        "ENVIRONMENT": "production",
        "SECRET_KEY": SECRET_KEY,
        "ALLOWED_HOSTS": "chat.example.com",
        "REDIS_URL": redis_server.url,
        "VAR_DIR": str(tmp_path),
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "INFO"]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "no issues" in ran.stdout


def test_the_stack_on_postgresql_keeps_what_people_say(make_stack, postgres):
    small = {"INTERFACE_PROCESSES": "1", "WEB_WORKERS": "1", "SOCKET_WORKERS": "2"}
    stack = make_stack(DATABASE_URL=postgres.database("stack"), **small)
    try:
        ann, ben = stack.visitor().be_guest("ann"), stack.visitor().be_guest("ben")
        with joined(ann) as hers, joined(ben) as his:
            for number in range(10):
                hers.send_stream("chat", type="send", room="lobby", body=f"{number}", id=f"a{number}")
                his.send_stream("chat", type="send", room="lobby", body=f"{number}", id=f"b{number}")
            numbers = [hers.receive_stream("chat", "message")["seq"] for _ in range(20)]
        assert sorted(numbers) == list(range(min(numbers), min(numbers) + 20))
        assert stack.get("/healthz").json()["database"] == {"status": "ok", "vendor": "postgresql"}
        assert len(ann.get("/rooms/lobby/messages/?limit=20").json()["messages"]) == 20
    finally:
        stack.stop()
