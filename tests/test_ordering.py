"""Frames of one socket in their order, by Channels' test helpers."""

from __future__ import annotations

from typing import Any

import pytest
from channels import route
from channels.asgi import channel_layers
from channels.exceptions import ConsumeLater
from channels.generic.websockets import WebsocketConsumer
from channels.sessions import enforce_ordering
from channels.test import ChannelTestCase, WSClient, apply_routes

from channels_lts import ordering, turns
from tests.services import wait_for
from tests.until_idle import run_worker


class Ordered(WebsocketConsumer):
    strict_ordering = True
    seen: list[Any] = []

    def receive(self, text: str | None = None, bytes: bytes | None = None, **kwargs: Any) -> None:
        self.seen.append(text)
        if text == "fail":
            raise RuntimeError("a fault")
        if text == "later" and "__retries__" not in self.message:
            raise ConsumeLater
        self.send(text=text)

    def disconnect(self, message: Any, **kwargs: Any) -> None:
        self.seen.append("bye")


class ConsumerTests(ChannelTestCase):
    def setUp(self):
        Ordered.seen = []
        routes = apply_routes([Ordered.as_route(path="^/$")])
        routes.enter()
        self.addCleanup(routes.exit)
        self.client = WSClient(ordered=True)
        self.client.send_and_consume("websocket.connect")

    def send(self, *texts):
        for text in texts:
            self.client.send("websocket.receive", {"text": text})

    def received(self):
        found = []
        while (text := self.client.receive(json=False)) is not None:
            found.append(text)
        return found

    def take(self):
        """Take a frame off the channel: its worker died with it, or has not come to it yet."""
        return channel_layers["default"].receive(["websocket.receive"])[1]

    def test_frames_run_in_their_order(self):
        self.send("a", "b", "c")
        first = self.take()
        run_worker()
        assert Ordered.seen == []
        channel_layers["default"].send("websocket.receive", first)
        run_worker()
        assert Ordered.seen == self.received() == ["a", "b", "c"]

    def test_d18_an_exception_ends_the_turn(self):
        self.send("a", "fail", "b")
        run_worker()
        assert Ordered.seen == ["a", "fail", "b"]

    def test_a_frame_that_is_consumed_later_keeps_its_turn(self):
        self.send("later", "a", "b")
        run_worker()
        assert Ordered.seen == ["later", "later", "a", "b"]

    def test_d18_a_lost_frame_stops_nothing_for_good(self):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(turns, "PATIENCE", 0.1)
            patch.setattr(ordering, "_TICK", 0.05)
            self.send("lost", "a", "b")
            lost = self.take()

            def both():
                run_worker()
                return Ordered.seen == ["a", "b"]

            wait_for(both, "the frames behind it")
            # It was only late: it does not run, and its socket is told.
            channel_layers["default"].send("websocket.receive", lost)
            self.received()
            with self.assertLogs("channels_lts.ordering", "ERROR"):
                run_worker()
        assert Ordered.seen == ["a", "b"]
        assert self.received() == [{"close": 1013}]

    def test_the_end_waits_for_its_turn_and_keeps_the_session_until_then(self):
        self.send("a")
        first = self.take()
        self.client.send("websocket.disconnect", {"code": 1000})
        run_worker()
        assert Ordered.seen == []
        channel_layers["default"].send("websocket.receive", first)
        run_worker()
        assert Ordered.seen == ["a", "bye"]

    def test_messages_without_order_are_refused(self):
        @enforce_ordering
        def consume(message):
            """Needs one."""

        with apply_routes([route("x", consume)]):
            client = WSClient()
            client.send("x", {})
            with pytest.raises(ValueError, match="order"):
                client.consume("x")

    def test_upstreams_own_serves_where_neither_redis_nor_memory_is(self):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(turns, "turns", lambda layer: None)
            self.send("a", "b")
            first = self.take()
            channel_layers["default"].send("websocket.receive", first)
            client = WSClient(ordered=True)
            client.send("websocket.connect")
            client.send("websocket.receive", {"text": "c"})
            run_worker()
        assert "c" in Ordered.seen
