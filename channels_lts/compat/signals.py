"""``Signal(providing_args=…)``: removed in Django 4.0.

It was documentation only, and Channels declares its signals with it. The argument is accepted again, and ignored.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from channels_lts.compat.imports import after_import

_DISPATCHER = "django.dispatch.dispatcher"


def needed() -> bool:
    """Whether ``Signal`` refuses the argument."""
    if find_spec("django") is None:
        return False
    from django.dispatch import Signal

    return not _accepts(Signal)


def install() -> None:
    """Let ``Signal`` take the argument, from the moment Django's dispatcher is imported."""
    after_import(_DISPATCHER, _mend)


def _accepts(signal: type) -> bool:
    return "providing_args" in inspect.signature(signal.__init__).parameters  # type: ignore[misc]


def _mend(dispatcher: ModuleType) -> None:
    signal = dispatcher.Signal
    if _accepts(signal):
        return
    original = signal.__init__

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, providing_args: Iterable[str] | None = None, **kwargs: Any) -> None:
        original(self, *args, **kwargs)

    # functools.wraps would let signature() see the original.
    del __init__.__wrapped__
    signal.__init__ = __init__
