from __future__ import annotations

from channels import channel_layers
from channels.message import Message
from channels.test import ChannelTestCase

from channels_lts.views import ViewConsumer
from chat import consumers, health, jobs, poll
from chat.streams import ChatDemultiplexer


class RoutingTests(ChannelTestCase):
    def match(self, channel, path=None):
        content = {} if path is None else {"path": path, "method": "GET"}
        found = channel_layers["default"].router.match(Message(content, channel, channel_layers["default"]))
        return found and (found[0], found[1])

    def test_every_path_has_its_consumer(self):
        for channel, path, consumer, kwargs in (
            ("websocket.connect", "/ws/", ChatDemultiplexer, {}),
            ("websocket.receive", "/ws/echo/", consumers.echo, {}),
            ("websocket.connect", "/ws/elsewhere/", consumers.refuse, {}),
            ("websocket.connect", "/ws/chat/a/b/", consumers.refuse, {}),
            ("http.request", "/healthz", health.healthz, {}),
            ("http.request", "/poll/大厅/", poll.poll, {"slug": "大厅"}),
            ("http.drain", "/poll/大厅/", poll.poll_ending, {"slug": "大厅"}),
            ("http.disconnect", "/poll/大厅/", poll.poll_gone, {"slug": "大厅"}),
            ("http.disconnect", "/anything", poll.ignore, {}),
            ("thumbnail", None, jobs.make_thumbnail, {}),
        ):
            with self.subTest(channel, path=path):
                assert self.match(channel, path) == (consumer, kwargs)

    def test_room_socket_gets_the_slug_from_its_path(self):
        consumer, kwargs = self.match("websocket.connect", "/ws/chat/大厅/")
        assert consumer is consumers.RoomConsumer
        assert kwargs == {"slug": "大厅"}

    def test_views_serve_all_other_requests(self):
        for path in ("/", "/poll/", "/healthz/", "/rooms/new/"):
            found = self.match("http.request", path)
            # Workers add the views; one may have begun in this process.
            assert found is None or isinstance(found[0], ViewConsumer), path
