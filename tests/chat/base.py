"""Rooms, people and sockets for the tests of the chat, on Channels' own test helpers."""

from __future__ import annotations

import io
import json
import tempfile
from typing import Any

from channels.test import TransactionChannelTestCase, WSClient
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client as Browser
from django.test import override_settings
from PIL import Image

from chat.identity import GUEST_SESSION_KEY, Identity, of_user
from chat.models import Membership, Room


class ChatTestCase(TransactionChannelTestCase):
    """Commits for real, since most of what the chat tells others is told after the commit."""

    guests = True

    def setUp(self) -> None:
        media = tempfile.TemporaryDirectory()
        self.addCleanup(media.cleanup)
        settings = override_settings(
            MEDIA_ROOT=media.name,
            CHAT_GUESTS=self.guests,
            MEDIA_ACCEL_LOCATION="",
            PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        )
        settings.enable()
        self.addCleanup(settings.disable)
        self.media = media.name

    def user(self, name: str = "ann", **fields: Any) -> Any:
        return get_user_model().objects.create_user(name, **fields)

    def room(self, name: str = "Kitchen", private: bool = False, **roles: Any) -> Room:
        """Make a room; ``owner=ann`` or ``member=ben`` make memberships."""
        room = Room.objects.create(name=name, private=private)
        for role, user in roles.items():
            Membership.objects.create(room=room, user=user, role=role)
        return room

    def browser(self, user: Any = None, guest: str | None = None) -> Browser:
        """Return a test client for views, signed in, as a guest, or as nobody."""
        browser = Browser()
        if user is not None:
            browser.force_login(user)
        if guest is not None:
            assert browser.post("/guest/", {"name": guest}).status_code == 302
        return browser

    def socket(self, user: Any = None, guest: str | None = None, path: str = "/ws/") -> Socket:
        """Return a socket that is open; what it was greeted with is in ``greeting``."""
        return Socket(user, guest, path).open()

    def page(self, user: Any = None, guest: str | None = None) -> Page:
        return Page(user, guest).open()


class Socket:
    """A WebSocket as the interface server would report it."""

    def __init__(self, user: Any = None, guest: str | None = None, path: str = "/ws/") -> None:
        self.path = path
        self.headers: list[tuple[bytes, bytes]] = []
        self.client = WSClient(ordered=True)
        # A session as a browser has it. The client's own is the one that the socket gets for itself.
        self.client._session = SessionStore()
        if user is not None:
            self.client.force_login(user)
        if guest is not None:
            self.client.session[GUEST_SESSION_KEY] = {"key": f"g{guest}", "name": guest}
        self.client.session.save()
        self.greeting: list[Any] = []

    @property
    def name(self) -> str:
        return self.client.reply_channel

    def open(self) -> Any:
        # As an interface server writes them; the client's own are a dict, as in ASGI drafts.
        headers = [(name.encode(), value) for name, value in self.client.headers.items()]
        self.client.send_and_consume("websocket.connect", {"headers": headers + self.headers}, path=self.path)
        self.greeting = self.received()
        return self

    def frame(self, **content: Any) -> list[Any]:
        """Send a frame and return what came back, or came otherwise, until it was served."""
        self.client.send_and_consume("websocket.receive", content, path=self.path)
        return self.received()

    def text(self, content: Any) -> list[Any]:
        return self.frame(text=content if isinstance(content, str) else json.dumps(content))

    def close(self) -> None:
        self.client.send_and_consume("websocket.disconnect", {"code": 1000}, path=self.path)

    def received(self) -> list[Any]:
        """Return the frames that came since: JSON decoded, other channel messages as they are."""
        frames = []
        while (message := self.client.get_next_message(self.name)) is not None:
            text = message.get("text")
            frames.append(json.loads(text) if text is not None else message.content)
        return frames


class Page(Socket):
    """A socket of /ws/, in terms of streams and payloads."""

    def ask(self, stream: str, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Send a payload and return the payloads that came on its stream."""
        return self.only(stream, self.text({"stream": stream, "payload": {"type": kind, **fields}}))

    def one(self, stream: str, kind: str, **fields: Any) -> dict[str, Any]:
        """Send a payload and return the one payload that came on its stream."""
        (payload,) = self.ask(stream, kind, **fields)
        return payload

    def join(self, room: Room, **fields: Any) -> dict[str, Any]:
        return self.one("chat", "join", room=room.slug, **fields)

    def heard(self, stream: str) -> list[dict[str, Any]]:
        """Return the payloads that came on *stream* since; what came on others is forgotten."""
        return self.only(stream, self.received())

    @staticmethod
    def only(stream: str, frames: list[Any]) -> list[dict[str, Any]]:
        return [frame["payload"] for frame in frames if frame.get("stream") == stream]


def who(user: Any) -> Identity:
    return of_user(user)


def guest(name: str = "gil") -> Identity:
    return Identity(f"g{name}", name, guest=True)


def image_bytes(format: str = "PNG", size: tuple[int, int] = (8, 6), mode: str = "RGB", **options: Any) -> bytes:
    output = io.BytesIO()
    Image.new(mode, size, 128 if mode in ("L", "P") else None).save(output, format, **options)
    return output.getvalue()
