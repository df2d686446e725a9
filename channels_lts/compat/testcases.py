"""``TransactionTestCase._pre_setup()``: a class method since Django 5.2, called before there is an instance.

Channels overrides it with a method of the instance, in ``TransactionChannelTestCase`` and
``ChannelLiveServerTestCase``: both failed before their first test.
"""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

from channels_lts.compat.imports import after_import


def install() -> None:
    """Let both classes set up each test in its own instance, when they are imported."""
    after_import("channels.test.base", _mend_base)
    after_import("channels.test.liveserver", _mend_live_server)


def _mend_base(module: ModuleType) -> None:
    _mend(module.ChannelTestCaseMixin)


def _mend_live_server(module: ModuleType) -> None:
    _mend(module.ChannelLiveServerTestCase)


def _mend(case: Any) -> None:
    from django.test import TestCase, TransactionTestCase

    if not inspect.ismethod(TransactionTestCase._pre_setup):  # type: ignore[attr-defined]
        return

    def setUpClass(cls: Any) -> None:
        # Past TransactionTestCase, whose own only calls _pre_setup() on the class, so that the first test need not.
        past: Any = case if issubclass(cls, TestCase) else TransactionTestCase
        super(past, cls).setUpClass()

    case.setUpClass = classmethod(setUpClass)
