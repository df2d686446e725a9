"""``django.utils.six``: removed in Django 3.0, and its ``moves`` broken in Django 2.2 since Python 3.12.

Channels imports it in ``routing``, ``channel``, ``handler`` and ``staticfiles``. The six package takes its place.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location

from channels_lts.exceptions import CompatError

NAME = "django.utils.six"


def needed() -> bool:
    """Whether ``django.utils.six.moves`` cannot be imported."""
    if find_spec("django") is None:
        return False
    try:
        import_module(f"{NAME}.moves.urllib.parse")
    except ImportError:
        return True
    return False


def install() -> None:
    """Supply ``django.utils.six`` and everything under ``django.utils.six.moves``.

    Raises:
        CompatError: the six package is missing.
    """
    if not needed():
        return
    origin = find_spec("six")
    if origin is None or origin.origin is None:
        raise CompatError("Channels 1.1.8 needs the six package: pip install six", name="six")
    # A second copy of six instead of the one that is there: each copy serves the imports below its own name, such as
    # django.utils.six.moves.urllib.parse.
    spec = spec_from_file_location(NAME, origin.origin)
    if spec is None or spec.loader is None:
        raise CompatError(f"The six package at {origin.origin} cannot be loaded.", name="six")
    module = module_from_spec(spec)
    # What Django added to its copy.
    module.memoryview = memoryview  # type: ignore[attr-defined]
    module.buffer_types = (bytes, bytearray, memoryview)  # type: ignore[attr-defined]
    _forget()
    sys.modules[NAME] = module
    spec.loader.exec_module(module)
    import_module("django.utils").six = module  # type: ignore[attr-defined]


def _forget() -> None:
    # Django 2.2's own copy has left modules behind.
    for name in [name for name in sys.modules if name == NAME or name.startswith(f"{NAME}.")]:
        del sys.modules[name]
