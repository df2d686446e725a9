"""What Channels 1.1.8 needs to run on Django 5.2 and Python 3.11 to 3.13.

Importing this package has no effect. :func:`install` puts the shims in place, one module each; every module names the
release that made it necessary and does nothing where it is not. Nothing else in this project knows about versions.
"""

from __future__ import annotations

import importlib
import sys
import threading

from channels_lts.exceptions import CompatError, CompatOrderError

__all__ = ["CompatError", "CompatOrderError", "install"]

# Channels cannot be imported without these, so they come before it or too late. In this order: the first two may find
# that a package is missing, and say which.
_BEFORE_CHANNELS = ("stdlib", "django_six", "signals", "asgi1")
# These wait until the module that they mend is imported.
_WITH_CHANNELS = ("delay", "handler", "runserver", "sessions", "testcases", "message_encoding", "ipc_version")

_lock = threading.RLock()
_installed = False


def install() -> None:
    """Make Channels 1.1.8, and its packages, importable and correct on the installed Django and Python.

    Call it before anything imports Channels: the ``__init__.py`` of the project's package is the place. It may be
    called again, from any thread, and then does nothing. It reads no settings and imports neither Channels nor models.

    Raises:
        CompatError: a package is missing; the message names it.
        CompatOrderError: Channels was imported before, and could not work.
    """
    global _installed
    with _lock:
        if _installed:
            return
        _check_order()
        for name in (*_BEFORE_CHANNELS, *_WITH_CHANNELS):
            _shim(name).install()
        _installed = True


def _check_order() -> None:
    # Channels swallows the ImportError of its own modules, so that a failed import leaves an empty package behind,
    # which would fail much later and say nothing of the cause.
    if "channels" not in sys.modules:
        return
    needed = [name for name in _BEFORE_CHANNELS if _shim(name).needed()]
    if needed:
        raise CompatOrderError(
            "Channels was imported before channels_lts.compat.install(), and cannot work on this Django and Python "
            f"without what it supplies ({', '.join(needed)}). Put these two lines first in the __init__.py of your "
            "project's package, above every import of Channels:\n\n"
            "    from channels_lts import compat\n"
            "    compat.install()\n\n"
            "and 'channels_lts' above 'channels' in INSTALLED_APPS.",
            name="channels",
        )


def _shim(name: str) -> _Shim:
    return importlib.import_module(f"{__name__}.{name}")  # type: ignore[return-value]


class _Shim:
    """What each module of this package offers; here for the type checker only."""

    @staticmethod
    def needed() -> bool:
        """Whether the shim has something to do here. Only the shims that come before Channels have this."""
        raise NotImplementedError

    @staticmethod
    def install() -> None:
        """Put the shim in place if it is needed."""
        raise NotImplementedError
