"""The cases of test_live.py: Daphne and a worker, started with TEST_CONFIG by Channels' ChannelLiveServerTestCase."""

from __future__ import annotations

import io
import threading

from channels.test import ChannelLiveServerTestCase
from django.conf import settings
from django.test import override_settings
from PIL import Image

from chat.models import Message, Room
from tests.chat.base import image_bytes
from tests.visitor import Visitor

_LAYER = settings.CHANNEL_LAYERS["default"]


# The servers are made with TEST_CONFIG, but a Group("…") of the chat takes CONFIG: both must be the same queue.
@override_settings(CHANNEL_LAYERS={"default": {**_LAYER, "CONFIG": _LAYER["TEST_CONFIG"]}})
class LiveTests(ChannelLiveServerTestCase):
    serve_static = False

    def setUp(self):
        Room.objects.create(name="大厅", slug="大厅")
        # "localhost" may be ::1 for the client, and Daphne listens on one address.
        self.url = self.live_server_url.replace("localhost", "127.0.0.1")

    def guest(self, name: str) -> Visitor:
        return Visitor(self.url).be_guest(name)

    def test_two_people_talk_upload_and_poll(self):
        with self.guest("Ann").connect("/ws/") as ann, (ben_himself := self.guest("Ben")).connect("/ws/") as ben:
            for socket in (ann, ben):
                assert socket.receive_stream("system", "welcome")["heartbeat"] == 25
                socket.send_stream("chat", type="join", room="大厅")
                assert socket.receive_stream("chat", "joined")["seq"] == 0
            assert ann.receive_stream("presence", "join")["who"]["name"] == "Ben"

            answer = {}

            def poll():
                answer["poll"] = ben_himself.get("/poll/%E5%A4%A7%E5%8E%85/?since=0")

            waiting = threading.Thread(target=poll)
            waiting.start()
            # It waits: in the time of a round trip there is no answer.
            ann.send_stream("system", type="ping")
            ann.receive_stream("system", "pong")
            assert not answer
            ann.send_stream("chat", type="send", room="大厅", body="你好", id="m1")
            assert ann.receive_stream("chat", "ack")["seq"] == 1
            assert ben.receive_stream("chat", "message")["body"] == "你好"
            waiting.join(30)
            assert [message["body"] for message in answer["poll"].json()["messages"]] == ["你好"]

            response = ben_himself.upload("/rooms/%E5%A4%A7%E5%8E%85/images/", "image", image_bytes("PNG", (800, 400)))
            assert response.status == 201, response.text
            assert ann.receive_stream("chat", "message")["image"]["width"] == 800
            assert ben.receive_stream("jobs", "queued")["job"] == response.json()["job"]
            done = ben.receive_stream("jobs", "done")
            thumbnail = ben_himself.get(done["thumbnail"])
            assert Image.open(io.BytesIO(thumbnail.body)).size == (480, 240)
        assert Message.objects.count() == 2

    def test_one_room_socket_and_echo(self):
        with self.guest("Ann").connect("/ws/chat/%E5%A4%A7%E5%8E%85/") as ann:
            for number in range(10):
                ann.send({"message": str(number)})
            assert [ann.receive()["message"] for _ in range(10)] == [str(number) for number in range(10)]
        with Visitor(self.url).connect("/ws/echo/") as echo:
            echo.raw.send("大厅")
            assert echo.raw.recv() == "大厅"
            echo.raw.send_binary(b"\x00\xff")
            assert echo.raw.recv() == b"\x00\xff"

    def test_health(self):
        response = Visitor(self.url).get("/healthz")
        assert response.json()["database"] == {"status": "ok", "vendor": "postgresql"}
        assert response.json()["layer"] == {"status": "ok"}
