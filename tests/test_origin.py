from __future__ import annotations

import pytest
from channels import Channel, route
from channels.message import Message
from channels.test import ChannelTestCase, WSClient, apply_routes

from channels_lts.origin import OriginGuard, origin_allowed


def headers(*origins: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"chat.example.com"), *((b"origin", origin.encode("latin1")) for origin in origins)]


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://chat.example.com", True),
        ("http://chat.example.com:8080", True),
        ("https://CHAT.example.com", True),
        ("https://sub.example.org", True),
        ("http://[::1]:8000", True),
        ("https://evil.example.net", False),
        ("https://chat.example.com.evil.net", False),
        ("https://evil.net/chat.example.com", False),
        ("https://chat.example.com@evil.net", False),
        ("null", False),
        ("", False),
        ("chat.example.com", False),
        ("file://chat.example.com", False),
        ("https://chat.example.com:port", False),
        ("https://[::1", False),
        ("https://chät.example.com", False),
    ],
)
def test_origin_must_be_one_of_the_allowed_hosts(settings, origin, allowed):
    settings.ALLOWED_HOSTS = ["chat.example.com", ".example.org", "[::1]"]
    assert origin_allowed(headers(origin)) is allowed


def test_handshake_without_origin_passes_since_every_browser_sends_one(settings):
    settings.ALLOWED_HOSTS = ["chat.example.com"]
    assert origin_allowed(headers())


def test_two_origins_are_refused(settings):
    settings.ALLOWED_HOSTS = ["chat.example.com"]
    assert not origin_allowed(headers("https://chat.example.com", "https://chat.example.com"))


def test_local_pages_pass_while_developing_only(settings):
    settings.ALLOWED_HOSTS = []
    settings.DEBUG = True
    assert origin_allowed(headers("http://localhost:3000"))
    settings.DEBUG = False
    assert not origin_allowed(headers("http://localhost:3000"))


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://app.example.com", True),
        ("https://app.example.com:443", True),
        ("http://app.example.com", False),
        ("https://app.example.com:8443", False),
        ("http://dev.example.com:3000", True),
        ("http://dev.example.com", False),
        ("https://chat.example.com", False),
    ],
)
def test_allowed_origins_replace_the_hosts_and_bind_scheme_and_port(settings, origin, allowed):
    settings.ALLOWED_HOSTS = ["chat.example.com"]
    settings.CHANNELS_LTS = {"ALLOWED_ORIGINS": ["https://app.example.com", "http://dev.example.com:3000"]}
    assert origin_allowed(headers(origin)) is allowed


def accept(message):
    message.reply_channel.send({"accept": True})


class OriginGuardTests(ChannelTestCase):
    def connect(self, origin: str) -> list[bytes]:
        """Let a worker's loop serve a handshake, and return what the interface server would be told."""
        served: list[str] = []
        with apply_routes([OriginGuard(), route("websocket.connect", accept)]):
            client = WSClient()
            client.send("websocket.connect", {"headers": headers(origin)})
            serve_one(client.channel_layer)
            while (reply := client.receive(json=False)) is not None:
                served.append(reply)
        return served

    def test_d14_foreign_page_is_refused_before_any_consumer(self):
        with self.settings(ALLOWED_HOSTS=["chat.example.com"]), self.assertLogs("channels_lts.origin", "WARNING"):
            assert self.connect("https://evil.example.net") == [{"close": True}]

    def test_own_page_reaches_the_consumer(self):
        with self.settings(ALLOWED_HOSTS=["chat.example.com"]):
            assert self.connect("https://chat.example.com") == [{"accept": True}]

    def test_headers_of_channels_own_test_client_are_read(self):
        with (
            self.settings(ALLOWED_HOSTS=["chat.example.com"]),
            apply_routes([OriginGuard(), route("websocket.connect", accept)]),
        ):
            client = WSClient()
            client.send_and_consume("websocket.connect")
            assert not origin_allowed({"Origin": "https://evil.example.net"})
            assert origin_allowed({"Origin": b"https://chat.example.com"})

    def test_other_channels_pass(self):
        with apply_routes([OriginGuard(), route("other", lambda message: Channel("done").send({"x": 1}))]):
            client = WSClient()
            client.send("other", {"headers": headers("https://evil.example.net")})
            client.consume("other")
            assert self.get_next_message("done", require=True)["x"] == 1


def serve_one(channel_layer) -> None:
    """Run Channels' own worker for one message: only its loop turns DenyConnection into a refusal."""
    from channels.worker import Worker

    worker = Worker(channel_layer, signal_handlers=False, callback=lambda *args: setattr(worker, "termed", True))
    worker.run()


def test_a_handshake_whose_cookies_do_not_count_passes_from_anywhere():
    guard = OriginGuard(unless=lambda message: message["path"] == "/robots/")
    for path, passes in (("/robots/", True), ("/", False)):
        message = Message({"path": path, "headers": headers("https://evil.example")}, "websocket.connect", None)
        assert (guard.match(message) is None) is passes
