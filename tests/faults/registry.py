"""All faults there are, for the soak. A module that is named here has ``FAULTS``: a tuple of them."""

from __future__ import annotations

import importlib

from tests.faults.fault import Fault

MODULES = ("restarts", "kills", "outages", "consumers")


def all_faults() -> list[Fault]:
    """Return every fault, in the order of ``MODULES``.

    Raises:
        ValueError: two have the same name.
    """
    faults: list[Fault] = []
    for name in MODULES:
        faults += importlib.import_module(f"tests.faults.{name}").FAULTS
    names = [fault.name for fault in faults]
    if len(set(names)) != len(names):
        raise ValueError(f"two faults of the same name among {', '.join(names)}")
    return faults
