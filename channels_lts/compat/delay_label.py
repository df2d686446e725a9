"""A valid app label for ``channels.delay``: Django 3.2 began to refuse labels that are no identifiers.

The label becomes ``channels_delay``, and with it the table's name; docs/library.md tells how to move messages that
wait in the old one.
"""

from __future__ import annotations

import django.apps
from django.core.exceptions import ImproperlyConfigured


class _Probe(django.apps.AppConfig):
    label = "not.an.identifier"
    path = "."


def needed() -> bool:
    try:
        _Probe("probe", None)
    except ImproperlyConfigured:
        return True
    return False


def install() -> None:
    from channels.delay.apps import DelayConfig

    DelayConfig.label = "channels_delay"
