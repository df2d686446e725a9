from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = _("Chat")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Bindings and signals must be connected in every process that saves rooms: workers, gunicorn, commands.
        from chat import bindings, signals, uploads  # noqa: F401

        post_migrate.connect(_keep_search_index, sender=self)


def _keep_search_index(using: str, **kwargs: Any) -> None:
    from chat import search_index

    search_index.restore_triggers(connections[using])
