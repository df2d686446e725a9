"""Everything that people do besides talking; importing this registers all of it."""

from __future__ import annotations

from chat.actions import changing, invitations, people, reading, rooms, webhooks
from chat.actions.registry import ACTIONS, perform

__all__ = ["ACTIONS", "changing", "invitations", "people", "perform", "reading", "rooms", "webhooks"]
