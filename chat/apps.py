from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = _("Chat")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Bindings and signals must be connected in every process that saves rooms: workers, gunicorn, commands.
        from chat import bindings, signals  # noqa: F401
