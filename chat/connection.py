"""What every socket of the chat has in common: whose it is, and in which language its owner reads."""

from __future__ import annotations

from typing import Any

from channels import Group
from channels.handler import AsgiRequest
from django.conf import settings
from django.utils import translation

from channels_lts import close_codes
from chat import identity
from chat.identity import Identity

_LANGUAGE = "chat_language"


def opened(message: Any) -> Identity | None:
    """Return who opens this socket, and keep in its channel session what later frames, without cookies, cannot tell."""
    who = identity.opened(message)
    if who is not None:
        message.channel_session[_LANGUAGE] = translation.get_language_from_request(AsgiRequest(message))
    return who


def language(message: Any) -> str:
    """Return the language in which the owner of this socket reads why something was refused."""
    return message.channel_session.get(_LANGUAGE) or settings.LANGUAGE_CODE


def close_code(message: Any) -> int:
    """Return the code with which to close a socket that is nobody's any more.

    Where its session is lost, with Redis or because the socket has ended, it may come back, with its cookie.
    """
    found = getattr(message.channel_session, "found", True)
    return (close_codes.NOT_ALLOWED if found else close_codes.SERVICE_RESTART).code


def enter_groups(message: Any, names: list[str]) -> None:
    for name in names:
        Group(name, channel_layer=message.channel_layer).add(message.reply_channel)


def leave_groups(message: Any, names: list[str]) -> None:
    for name in names:
        Group(name, channel_layer=message.channel_layer).discard(message.reply_channel)
