"""``distutils`` (removed in Python 3.12) and ``cgi`` (removed in Python 3.13).

Channels compares versions with the first and reads Content-Type with the second; Django 2.2 and redis-py 2.10 use them
too. The PyPI packages setuptools and legacy-cgi carry them on: this module sees to it that they are there.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec

from channels_lts.exceptions import CompatError

_PACKAGES = {"distutils": "setuptools", "cgi": "legacy-cgi"}


def needed() -> bool:
    """Whether a module is missing that must come from a package."""
    return any(not _is_there(name) for name in _PACKAGES)


def install() -> None:
    """Check that both modules can be imported.

    Raises:
        CompatError: one of them cannot be; the message names the package to install.
    """
    if not _is_there("distutils") and find_spec("setuptools") is not None:
        # It supplies distutils when it is imported, even where its .pth file was not read at start-up.
        import_module("setuptools")
    for name, package in _PACKAGES.items():
        if not _is_there(name):
            raise CompatError(
                f"The module {name!r}, which Channels 1.1.8 imports, is no longer part of Python. "
                f"Install the package that supplies it: pip install {package}",
                name=name,
            )


def _is_there(name: str) -> bool:
    if name in sys.modules or PathFinder.find_spec(name) is not None:
        return True
    # Not find_spec(), for which setuptools would import itself, and that takes longer than all the rest.
    return name == "distutils" and any(_is_setuptools(finder) for finder in sys.meta_path)


def _is_setuptools(finder: object) -> bool:
    return type(finder).__module__ == "_distutils_hack"
