"""``django.utils.six``, which Django 3.0 removed; Django 2.2's own copy cannot import ``moves`` since Python 3.12."""

from __future__ import annotations

import importlib
import sys

_NAME = "django.utils.six"
# six makes these modules when they are imported by name.
_MODULES = (
    "moves",
    "moves.urllib",
    "moves.urllib.error",
    "moves.urllib.parse",
    "moves.urllib.request",
    "moves.urllib.response",
    "moves.urllib.robotparser",
    "moves.urllib_error",
    "moves.urllib_parse",
)


def needed() -> bool:
    try:
        importlib.import_module(f"{_NAME}.moves.urllib.parse")
    except ImportError:
        return True
    return False


def install() -> None:
    """Let the package six stand at that place, its ``moves`` included."""
    six = importlib.import_module("six")
    sys.modules[_NAME] = six
    # `from django.utils import six` looks at the package first.
    importlib.import_module("django.utils").six = six  # type: ignore[attr-defined]
    for name in _MODULES:
        sys.modules[f"{_NAME}.{name}"] = importlib.import_module(f"six.{name}")
