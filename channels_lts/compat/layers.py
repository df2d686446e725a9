"""``asgiref.base_layer`` and ``asgiref.inmemory``, which asgiref 2.0 removed with ASGI 1: ours stand in their place."""

from __future__ import annotations

import importlib
import importlib.util
import sys

_MODULES = ("base_layer", "inmemory")


def needed() -> bool:
    return importlib.util.find_spec("asgiref.base_layer") is None


def install() -> None:
    asgiref = importlib.import_module("asgiref")
    for name in _MODULES:
        module = importlib.import_module(f"channels_lts.compat.{name}")
        sys.modules[f"asgiref.{name}"] = module
        setattr(asgiref, name, module)
