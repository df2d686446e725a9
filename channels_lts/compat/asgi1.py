"""``asgiref.base_layer`` and ``asgiref.inmemory``: removed in asgiref 2.0, with version 1 of ASGI.

Django 3.0 and later need asgiref 3. Channels' test helpers, asgi_redis and asgi_ipc import these two; our own modules
take their place under the old names.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

from channels_lts.exceptions import CompatError

_MODULES = {
    "asgiref.base_layer": "channels_lts.compat.base_layer",
    "asgiref.inmemory": "channels_lts.compat.inmemory",
}


def needed() -> bool:
    """Whether asgiref has no ASGI 1 any more."""
    if find_spec("asgiref") is None:
        raise CompatError("Channels 1.1.8 needs the asgiref package: pip install asgiref", name="asgiref")
    return any(find_spec(name) is None for name in _MODULES)


def install() -> None:
    """Supply both modules under their old names.

    Raises:
        CompatError: there is no asgiref at all.
    """
    if not needed():
        return
    package = import_module("asgiref")
    for old, new in _MODULES.items():
        module = import_module(new)
        sys.modules[old] = module
        setattr(package, old.rpartition(".")[2], module)
