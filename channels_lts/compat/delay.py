"""The app label of ``channels.delay``: refused by Django since 3.2, as it has a dot in it.

The label becomes ``channels_delay``, and the table ``channels_delay_delayedmessage``. Django 2.2 accepts the old one,
and there it stays, with its table.
"""

from __future__ import annotations

from types import ModuleType

from channels_lts.compat.imports import after_import

LABEL = "channels_delay"


def install() -> None:
    """Give the app a valid label, when it is imported on a Django that checks labels."""
    after_import("channels.delay.apps", _mend)


def _mend(module: ModuleType) -> None:
    from django.core.exceptions import ImproperlyConfigured

    config = module.DelayConfig
    try:
        config(config.name, module)
    except ImproperlyConfigured:
        config.label = LABEL
        # Its migration made such a key; without this, makemigrations would want the project's own kind.
        config.default_auto_field = "django.db.models.AutoField"
