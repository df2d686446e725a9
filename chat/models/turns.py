from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from chat import limits
from chat.models.rooms import Room


class Turn(models.Model):
    """When somebody last spoke in a room with slow mode. Rooms without it have none: see chat.slow."""

    id = models.BigAutoField(primary_key=True)
    room = models.ForeignKey(Room, models.CASCADE, related_name="turns", verbose_name=_("room"))
    key = models.CharField(_("key"), max_length=limits.KEY)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("turn")
        verbose_name_plural = _("turns")
        constraints = [models.UniqueConstraint(fields=["room", "key"], name="chat_turn_unique")]

    def __str__(self) -> str:
        return f"{self.key} · {self.room}"
