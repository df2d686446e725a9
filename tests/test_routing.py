"""Our matching of routes against Channels' own."""

from __future__ import annotations

import pytest
from channels.message import Message
from channels.routing import Router, include, route
from hypothesis import given
from hypothesis import strategies as st

from channels_lts.routing import match


def first(message):
    pass


def second(message):
    pass


def third(message):
    pass


INNER = [
    route("websocket.receive", first, path=r"^/(?P<room>\w+)/$"),
    route("websocket.receive", second, path=r"^/$", text="^go"),
    include([route("websocket.connect", third, path=r"^/deep/(?P<room>\d+)$")], path=r"^/(?P<level>\w+)"),
]
ROUTING = [
    include(INNER, path=r"^/(?P<site>ws|chat)", method=r"^(?P<site>G)"),
    include(INNER, path=r"^/(?P<site>ws|chat)"),
    route("websocket.receive", third, path=b"^/bytes"),
    route("http.request", second),
]
SEGMENTS = st.sampled_from(["", "ws", "chat", "lobby", "deep", "7", "bytes", "go"])


def both(channel, content):
    """Return what we find, having seen that Channels finds the same and that the message stays as it was."""
    router = Router(ROUTING)
    before = dict(content)
    found = match(router, Message(content, channel, None))
    assert content == before
    assert found == router.match(Message(content, channel, None))
    return found


@given(
    channel=st.sampled_from(["websocket.connect", "websocket.receive", "http.request", "other"]),
    path=st.lists(SEGMENTS, max_size=5).map(lambda parts: "/" + "/".join(parts)),
    method=st.sampled_from([None, "GET", b"GET", "POST"]),
    text=st.sampled_from([None, "go", "stop"]),
)
def test_what_channels_finds_is_found(channel, path, method, text):
    optional = {"method": method, "text": text}
    both(channel, {"path": path, **{name: value for name, value in optional.items() if value is not None}})


@pytest.mark.parametrize(
    ("channel", "content", "expected"),
    [
        ("websocket.receive", {"path": "/ws/lobby/"}, (first, {"site": "ws", "room": "lobby"})),
        ("websocket.receive", {"path": "/ws/", "text": "go on"}, (second, {"site": "ws"})),
        ("websocket.receive", {"path": "/ws/", "text": "go", "method": "GET"}, (second, {"site": "G"})),
        ("websocket.connect", {"path": "/ws/a/deep/7"}, (third, {"site": "ws", "level": "a", "room": "7"})),
        ("websocket.receive", {"path": "/elsewhere"}, None),
        ("http.request", {"path": "/ws/"}, (second, {})),
        ("http.request", {}, (second, {})),
    ],
)
def test_routes_prefixes_and_groups(channel, content, expected):
    assert both(channel, content) == expected


def test_nothing_of_the_message_is_copied_deeply():
    class Body:
        def __deepcopy__(self, memo):
            raise AssertionError("copied")

    message = Message({"path": "/ws/lobby/", "body": Body()}, "websocket.receive", None)
    assert match(Router(ROUTING), message) == (first, {"site": "ws", "room": "lobby"})
