"""What the database keeps of the chat."""

from __future__ import annotations

from chat.models.access import Token, Webhook
from chat.models.clients import Client
from chat.models.messages import Mention, Message
from chat.models.rooms import Ban, Invitation, Membership, Room
from chat.models.turns import Turn
from chat.models.uploads import Upload

__all__ = [
    "Ban",
    "Client",
    "Invitation",
    "Membership",
    "Mention",
    "Message",
    "Room",
    "Token",
    "Turn",
    "Upload",
    "Webhook",
]
