"""The example of docs/streams.md, as it stands there: numbered logs that have nothing to do with chat."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

from channels.test import TransactionChannelTestCase, WSClient, apply_routes
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import override_settings
from django.test.utils import isolate_apps

from channels_lts.streams import Head
from tests.services import ROOT

_PAGE = ROOT / "docs" / "streams.md"


def example() -> SimpleNamespace:
    """Return what the example defines."""
    section = _PAGE.read_text(encoding="utf-8").partition("## Numbered logs")[2]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found is not None
    # Models have to be of some application: of one that is installed, by the module's name.
    names = {"__name__": "chat.boards"}
    exec(compile(found[1], str(_PAGE), "exec", dont_inherit=True), names)
    return SimpleNamespace(**names)


@override_settings(CHANNEL_SESSION_ENGINE="channels_lts.sessions")
class BoardTests(TransactionChannelTestCase):
    def setUp(self):
        apps = isolate_apps("chat")
        apps.enable()
        self.addCleanup(apps.disable)
        self.code = example()
        models = [self.code.Board, self.code.Notice]
        with connection.schema_editor() as editor:
            for model in models:
                editor.create_model(model)
        self.addCleanup(self.drop, models)
        routes = apply_routes([self.code.Streams.as_route(path="^/$")])
        routes.enter()
        self.addCleanup(routes.exit)
        self.ann = get_user_model().objects.create_user("ann")
        self.board = self.code.Board.objects.create(name="news")

    def drop(self, models):
        with connection.schema_editor() as editor:
            for model in reversed(models):
                editor.delete_model(model)

    def client_of(self, user=None):
        client = WSClient(ordered=True)
        if user is not None:
            client.force_login(user)
        client.send_and_consume("websocket.connect", check_accept=False)
        self.payloads(client)
        return client

    def payloads(self, client):
        found = []
        while (reply := client.receive(json=False)) is not None:
            if isinstance(reply, str):
                found.append(json.loads(reply)["payload"])
        return found

    def ask(self, client, kind, stream="boards", **fields):
        client.send("websocket.receive", text={"stream": stream, "payload": {"type": kind, **fields}})
        client.consume("websocket.receive")
        return self.payloads(client)

    def test_who_joins_hears_what_is_stored_once(self):
        ann, reader = self.client_of(self.ann), self.client_of()
        (joined,) = self.ask(reader, "join", board="news")
        assert joined == {
            "type": "joined", "board": "news", "epoch": str(self.board.pk), "seq": 0, "revision": 0,
            "recovered": False, "messages": [], "changed": [],
        }  # fmt: skip
        sent = {"board": "news", "id": "n1", "text": "hello"}
        assert self.ask(ann, "send", **sent) == [{"type": "ack", "id": "n1", "board": "news", "seq": 1, "dup": False}]
        assert self.ask(ann, "send", **sent) == [{"type": "ack", "id": "n1", "board": "news", "seq": 1, "dup": True}]
        heard = {"type": "message", "board": "news", "seq": 1, "id": "n1", "author": "ann", "text": "hello"}
        assert self.payloads(reader) == [heard]
        self.ask(reader, "leave", board="news")
        self.ask(ann, "send", **{**sent, "id": "n2"})
        assert self.payloads(reader) == []

    def test_who_comes_back_gets_what_they_lack_or_begins_anew(self):
        ann = self.client_of(self.ann)
        for number in range(1, 6):
            self.ask(ann, "send", board="news", id=f"n{number}", text="hello")
        reader, epoch = self.client_of(), str(self.board.pk)

        def missed(**since):
            (joined,) = self.ask(reader, "join", board="news", since=since)
            return joined["recovered"], [entry["seq"] for entry in joined["messages"]]

        assert missed(epoch=epoch, seq=3) == (True, [4, 5])
        assert missed(epoch=epoch, seq=5) == (True, [])
        assert missed(epoch=epoch, seq=6) == (False, [1, 2, 3, 4, 5])
        assert missed(epoch="another", seq=3) == (False, [1, 2, 3, 4, 5])
        # Nothing is ever changed here.
        assert missed(epoch=epoch, seq=3, revision=1) == (False, [1, 2, 3, 4, 5])
        (page,) = self.ask(reader, "history", board="news", before=4, limit=2)
        assert ([entry["seq"] for entry in page["messages"]], page["more"], page["newer"]) == ([2, 3], True, True)

    def test_what_is_refused(self):
        reader = self.client_of()
        assert self.ask(reader, "join", board="olds")[0]["code"] == "not_found"
        assert self.ask(reader, "send", board="news", id="n1", text="hello")[0]["code"] == "not_allowed"
        for kind in ("join", "leave", "send", "history"):
            assert self.ask(reader, kind)[0]["code"] == "bad_field"
            assert self.ask(reader, kind, board="n" * 101)[0]["code"] == "too_large"

    def test_a_heartbeat_tells_the_heads(self):
        reader = self.client_of()
        assert self.ask(reader, "ping", "system", id=1) == [{"type": "pong", "heads": {}, "id": 1}]
        self.code.System.heads = lambda stream: {"news": Head("1", 7, 2).public()}
        assert self.ask(reader, "ping", "system") == [{"type": "pong", "heads": {"news": {"seq": 7, "revision": 2}}}]
