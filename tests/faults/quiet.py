"""The consumers of ``/ws/quiet/``: a socket in a group, which sends back what it gets. No database, no session."""

from __future__ import annotations

from typing import Any

from channels import Group

GROUP = "quiet"


def connect(message: Any) -> None:
    Group(GROUP).add(message.reply_channel)
    message.reply_channel.send({"accept": True})


def receive(message: Any) -> None:
    message.reply_channel.send({"text": message["text"]})


def disconnect(message: Any) -> None:
    Group(GROUP).discard(message.reply_channel)
