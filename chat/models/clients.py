from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import limits
from chat.models.rooms import Room


class Client(models.Model):
    """One socket in one room. Rows of sockets that went without a word grow stale and are swept: see chat.presence."""

    id = models.BigAutoField(primary_key=True)
    channel_name = models.CharField(_("channel"), max_length=100)
    room = models.ForeignKey(Room, models.CASCADE, related_name="clients", verbose_name=_("room"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("user")
    )
    key = models.CharField(_("key"), max_length=limits.KEY)
    name = models.CharField(_("name"), max_length=150)
    seen_at = models.DateTimeField(_("seen at"), default=timezone.now)
    present = models.BooleanField(_("present"), default=True, help_text=_("The room was told that they are here."))
    plain = models.BooleanField(_("plain"), default=False, help_text=_("A socket of /ws/chat/, which has no presence."))

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        constraints = [models.UniqueConstraint(fields=["channel_name", "room"], name="chat_client_unique")]
        indexes = [
            models.Index(fields=["room", "seen_at"], name="chat_client_seen"),
            models.Index(fields=["room", "key"], name="chat_client_key"),
        ]

    def __str__(self) -> str:
        return f"{self.name} · {self.channel_name}"
