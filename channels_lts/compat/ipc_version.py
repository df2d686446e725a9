"""``pkg_resources``: removed in setuptools 82.

asgi_ipc asks it for its own version, and for nothing else. It gets an answer while it is imported; then the name is as
missing as before, so that nobody takes it for the real thing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import Distribution, distribution
from importlib.util import find_spec
from types import ModuleType

from channels_lts.compat.imports import around_import

_NAME = "pkg_resources"


def install() -> None:
    """Answer asgi_ipc when it is imported."""
    around_import("asgi_ipc", _answering)


@contextmanager
def _answering(module: ModuleType) -> Iterator[None]:
    if _NAME in sys.modules or find_spec(_NAME) is not None:
        yield
        return
    answer = ModuleType(_NAME)
    answer.require = _require  # type: ignore[attr-defined]
    sys.modules[_NAME] = answer
    try:
        yield
    finally:
        del sys.modules[_NAME]


def _require(name: str) -> list[Distribution]:
    return [distribution(name)]
