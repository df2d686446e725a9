"""Members of one group, a publisher, a publisher of bursts, and echo."""

from __future__ import annotations

from channels import Group
from channels.message import Message


def connect(message: Message) -> None:
    message.reply_channel.send({"accept": True})


def connect_member(message: Message) -> None:
    # In this order, so that whoever is accepted is a member.
    Group("bench").add(message.reply_channel)
    message.reply_channel.send({"accept": True})


def disconnect(message: Message) -> None:
    pass


def disconnect_member(message: Message) -> None:
    Group("bench").discard(message.reply_channel)


def echo(message: Message) -> None:
    message.reply_channel.send({"text": message["text"]})


def publish(message: Message) -> None:
    Group("bench").send({"text": message["text"]})


def burst(message: Message) -> None:
    """Send as many group messages as the number says that the text begins with."""
    text = message["text"]
    for number in range(int(text[:8], 16)):
        Group("bench").send({"text": f"{number:08x}{text[8:]}"})
