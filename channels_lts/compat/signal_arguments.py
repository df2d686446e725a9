"""``Signal(providing_args=...)``, which Django 4.0 removed. It was documentation only, and is ignored."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from django.dispatch import Signal


def needed() -> bool:
    return "providing_args" not in inspect.signature(Signal.__init__).parameters


def install() -> None:
    original = Signal.__init__

    @functools.wraps(original)
    def __init__(self: Signal, providing_args: Any = None, use_caching: bool = False) -> None:
        original(self, use_caching)

    Signal.__init__ = __init__  # type: ignore[assignment, method-assign]
