import os
import unittest
from urllib.request import Request, urlopen

from channels import Channel, Group
from channels.test import ChannelLiveServerTestCase, ChannelTestCase, TransactionChannelTestCase, WSClient
from django.contrib.auth import get_user_model

from liveblog.models import Entry
from liveblog.socket_client import SocketClient


class HelperTests(ChannelTestCase):
    def test_room(self):
        get_user_model().objects.create_user("ann", password="ann")
        client = WSClient()
        assert client.login(username="ann", password="ann")
        client.send_and_consume("websocket.connect", path="/room/one/")
        client.send_and_consume("websocket.receive", {"text": "hi"})
        assert client.receive(json=False) == "ann: hi"
        client.send_and_consume("websocket.disconnect")
        Group("room-one").send({"text": "gone"})
        assert client.receive() is None

    def test_binding_out(self):
        client = WSClient()
        client.join_group("entries")
        entry = Entry.objects.create(text="first")
        received = client.receive()
        assert received["stream"] == "entries"
        assert received["payload"]["action"] == "create"
        assert received["payload"]["pk"] == entry.pk
        assert received["payload"]["data"] == {"text": "first"}

    def test_binding_in(self):
        client = WSClient()
        client.send_and_consume("websocket.connect", path="/entries/")
        text = {"stream": "entries", "payload": {"action": "create", "data": {"text": "from a client"}}}
        client.send_and_consume("websocket.receive", path="/entries/", text=text)
        assert [entry.text for entry in Entry.objects.all()] == ["from a client"]

    def test_consumer(self):
        Channel("work").send({"text": "a"}, immediately=True)
        message = self.get_next_message("work", require=True)
        assert message["text"] == "a"


class TransactionTests(TransactionChannelTestCase):
    def test_first(self):
        Entry.objects.create(text="one")
        Channel("work").send({"text": "a"}, immediately=True)
        assert Entry.objects.count() == 1

    def test_second_starts_afresh(self):
        assert Entry.objects.count() == 0
        assert self.get_next_message("work") is None


@unittest.skipIf(os.environ.get("LAYER", "memory") == "memory", "processes need a layer between them")
class LiveTests(ChannelLiveServerTestCase):
    def get(self, path, **kwargs):
        with urlopen(Request(self.live_server_url + path, **kwargs), timeout=20) as response:
            return response.read().decode()

    def test_pages(self):
        assert self.get("/") == "hello"
        assert self.get("/static/liveblog/words.txt") == "static words\n"
        assert self.get("/later/") == "answered later"

    def test_socket(self):
        client = SocketClient(int(self.live_server_url.rpartition(":")[2]), "/room/one/")
        assert client.status == 101
        client.send("hi")
        assert client.receive() == "somebody: hi"
        client.close()
