"""``runserver`` of Channels 1.1.8 without its cost for every other command.

Channels puts its development server, and with it Daphne, Twisted and autobahn, under Django's as soon as a project
starts: a quarter of the time that a worker takes to start, and of its memory.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from channels_lts.compat.imports import after_import

_DJANGOS = "django.contrib.staticfiles.management.commands.runserver"


def install() -> None:
    """Let Channels change Django's ``runserver`` when that is imported, and not before."""
    after_import("channels.hacks", _mend)


def _mend(module: ModuleType) -> None:
    hacks: Any = module
    original = hacks.monkeypatch_django
    hacks.monkeypatch_django = lambda: after_import(_DJANGOS, lambda _: original())
