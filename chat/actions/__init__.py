"""Everything that people do besides talking; importing this registers all of it."""

from __future__ import annotations

from chat.actions import reading
from chat.actions.registry import ACTIONS, perform

__all__ = ["ACTIONS", "perform", "reading"]
