"""What Channels 1.1.8 and its packages need to run on Django 5.2 LTS and Python 3.11 to 3.13.

:func:`install` puts it in place, and has to run before anything imports Channels: call it in the ``__init__.py`` of
your project's package. Importing this package alone has no effect.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from typing import Any

from channels_lts.exceptions import CompatError, CompatOrderError

__all__ = ["install"]

# In this order: Channels itself can be imported after `layers`, and the rest mends what is in it.
_BEFORE_CHANNELS = ("django_six", "signal_arguments", "layers", "msgpack_encoding")
_INSIDE_CHANNELS = ("delay_label", "response_later")

# Modules that Python dropped, and the package that brings each back.
_DROPPED_MODULES = {"distutils": "setuptools", "cgi": "legacy-cgi"}

_lock = threading.Lock()
_installed = False


def install() -> None:
    """Make Channels 1.1.8 importable and whole. May be called again, and then does nothing.

    Reads no Django settings. What the versions at hand do not need is left alone.

    Raises:
        CompatOrderError: Channels was imported before.
        CompatError: a module that Python dropped is missing, and so is the package that brings it back.
    """
    global _installed
    with _lock:
        if _installed:
            return
        _require_dropped_modules()
        before = [_shim(name) for name in _BEFORE_CHANNELS]
        needed = [shim for shim in before if shim.needed()]
        if needed and "channels" in sys.modules:
            raise CompatOrderError(
                "Channels was imported before channels_lts.compat.install() ran, so it is only half there. "
                "Call install() first: at the top of your project package's __init__.py, and list 'channels_lts' "
                "before 'channels' in INSTALLED_APPS."
            )
        for shim in needed:
            shim.install()
        for shim in map(_shim, _INSIDE_CHANNELS):
            if shim.needed():
                shim.install()
        _installed = True


def _shim(name: str) -> Any:
    """Return a shim's module: ``needed()`` tells whether these versions want it, ``install()`` puts it in place."""
    return importlib.import_module(f"{__name__}.{name}")


def _require_dropped_modules() -> None:
    for module, package in _DROPPED_MODULES.items():
        if importlib.util.find_spec(module) is None:
            raise CompatError(
                f"Python {sys.version_info.major}.{sys.version_info.minor} has no module {module!r} any more, which "
                f"Channels 1.1.8 imports. Install the package that brings it back: pip install {package}"
            )
