from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import limits
from chat.models.rooms import Room


class Upload(models.Model):
    """A file that arrives in pieces. What has arrived is in the file called ``path``, below MEDIA_ROOT."""

    id = models.BigAutoField(primary_key=True)
    token = models.CharField(_("token"), max_length=64, unique=True)
    room = models.ForeignKey(Room, models.CASCADE, related_name="uploads", verbose_name=_("room"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("user")
    )
    key = models.CharField(_("key"), max_length=limits.KEY, db_index=True)
    uid = models.CharField(_("client's id"), max_length=limits.UID, blank=True)
    size = models.PositiveIntegerField(_("size"))
    created_at = models.DateTimeField(_("created at"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")

    def __str__(self) -> str:
        return f"{self.key} · {self.room}"

    @property
    def path(self) -> str:
        return f"uploads/{self.token[:2].lower()}/{self.token}.part"
