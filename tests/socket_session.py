"""A consumer that looks into its session, and a socket with an HTTP session, for the tests of sessions."""

from __future__ import annotations

from typing import Any

from channels.generic.websockets import WebsocketConsumer
from channels.test import WSClient
from django.contrib.sessions.backends.db import SessionStore as HttpSession


class Socket:
    """A WebSocket of an interface server; its browser has an HTTP session, signed in or not."""

    def __init__(self, user: Any = None) -> None:
        self.client = WSClient(ordered=True)
        self.client._session = HttpSession()
        if user is not None:
            self.client.force_login(user)
        self.client.session["colour"] = "blue"
        self.client.session.save()

    def send(self, channel: str, **content: Any) -> Any:
        self.client.send(channel, content, path=content.pop("path", "/"))
        return self.client.consume(channel, check_accept=False)

    def received(self) -> list[Any]:
        found = []
        while (message := self.client.get_next_message(self.client.reply_channel)) is not None:
            found.append(message.content)
        return found


class Who(WebsocketConsumer):
    http_user = True

    def connect(self, message: Any, **kwargs: Any) -> None:
        message.channel_session["seen"] = 1
        super().connect(message, **kwargs)

    def receive(self, text: str | None = None, bytes: bytes | None = None, **kwargs: Any) -> None:
        if text == "who":
            self.send(text=self.message.user.get_username() or "nobody")
        else:
            self.send(text=str(self.message.channel_session.get("seen")))
