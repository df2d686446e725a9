"""What people type that the server does in place of posting it: a message that begins with ``/`` and a word.

``//`` at the beginning stands for one ``/`` that is meant. A path such as ``/etc/hosts`` is no command.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from chat import reminders
from chat.identity import Identity
from chat.models import Room

#: What is done for who typed it, given what follows the word and the id of the message: returns fields for the answer.
Command = Callable[[Room, Identity, str, str | None], dict[str, Any]]

COMMANDS: dict[str, Command] = {"remind": reminders.command}

_COMMAND = re.compile(r"/([^\W\d_]\w*)(?:\s+(.*))?", re.DOTALL)


def is_command(body: str) -> bool:
    """Whether *body* is for the server to do something, and not to be posted."""
    return _COMMAND.fullmatch(body.strip()) is not None


def to_post(body: str) -> str:
    """Return what to post of *body*, which is no command."""
    text = body.lstrip()
    return text[1:] if text.startswith("//") else body


def run(room: Room, who: Identity, body: str, uid: str | None = None) -> dict[str, Any]:
    """Do what *body* commands, for *who*, who may post in *room*; returns what to answer with, as of an action.

    Args:
        uid: The id of the message that it was sent as: sent again under it, it is not done twice.

    Raises:
        StreamError: ``bad_field``: there is no such command, or it is not used like that; the reason says how.
    """
    found = _COMMAND.fullmatch(body.strip())
    name = found[1].lower() if found else ""
    command = COMMANDS.get(name)
    if found is None or command is None:
        known = ", ".join(f"/{each}" for each in sorted(COMMANDS))
        raise StreamError(
            "bad_field",
            _("There is no command /%(name)s; there is: %(known)s. To begin a message with a slash, write two.")
            % {"name": name[:40], "known": known},
        )
    return {"action": name, "room": room.slug, **command(room, who, found[2] or "", uid)}
