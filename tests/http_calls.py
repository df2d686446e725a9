"""Requests through Channels' handler, without a server."""

from __future__ import annotations

from typing import Any

from channels.asgi import ChannelLayerWrapper
from channels.handler import AsgiHandler
from channels.message import Message

from channels_lts.compat.inmemory import ChannelLayer

REPLY = "http.response!reply"


def bare_project(settings: Any, urls: str, *middleware: str) -> None:
    """Let requests go to the views of module *urls*, through sessions, languages and *middleware* only."""
    settings.ROOT_URLCONF = urls
    settings.DEBUG = False
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        *middleware,
    ]
    # Django's own error templates, not the chat's.
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"


def call(
    target: str, method: str = "GET", body: bytes = b"", handler: Any = None, layer: Any = None, **headers: str
) -> list[dict[str, Any]]:
    """Send a request as an interface server would; returns the messages that answer it."""
    content = {
        "reply_channel": REPLY,
        "http_version": "1.1",
        "method": method,
        "path": target.partition("?")[0],
        "query_string": target.partition("?")[2].encode(),
        "headers": [
            [b"host", b"localhost"],
            [b"content-length", str(len(body)).encode()],
            *([name.replace("_", "-").encode(), value.encode()] for name, value in headers.items()),
        ],
        "body": body,
        "client": ["192.0.2.7", 4711],
        "server": ["localhost", 80],
    }
    message = Message(content, "http.request", layer or ChannelLayerWrapper(ChannelLayer(), "default", []))
    return list((handler or AsgiHandler())(message))


def body_of(replies: list[dict[str, Any]]) -> bytes:
    assert not replies[-1]["more_content"]
    return b"".join(reply.get("content", b"") for reply in replies)


def header(replies: list[dict[str, Any]], wanted: str) -> list[str]:
    return [value.decode() for name, value in replies[0]["headers"] if name.decode().lower() == wanted.lower()]
