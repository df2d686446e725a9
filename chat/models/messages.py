from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import limits
from chat.models.rooms import Room


class Message(models.Model):
    """One message of a room. A removed one stays as a tombstone, so that the numbers have no gap."""

    id = models.BigAutoField(primary_key=True)
    # No index of its own: the unique ones below begin with the room.
    room = models.ForeignKey(Room, models.CASCADE, related_name="messages", verbose_name=_("room"), db_index=False)
    seq = models.BigIntegerField(_("number"))
    uid = models.CharField(_("client's id"), max_length=limits.UID)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("author")
    )
    # Kept beside the user: guests have no row, and a message outlives the account of its author.
    author_key = models.CharField(_("author's key"), max_length=limits.KEY)
    author_name = models.CharField(_("author's name"), max_length=150)
    body = models.TextField(_("text"), blank=True)
    # Of chat.mentions: the keys of those whom it mentions, so that showing messages costs no query more.
    mentioned = models.TextField(_("mentioned"), blank=True, default="", editable=False)
    # Of chat.segments: what the search finds besides the text itself; empty for most.
    segmented = models.TextField(_("segmented"), blank=True, default="", editable=False)
    image = models.FileField(_("image"), max_length=120, blank=True)
    thumbnail = models.FileField(_("thumbnail"), max_length=120, blank=True)
    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)
    removed = models.BooleanField(_("removed"), default=False)
    edited_at = models.DateTimeField(_("edited at"), null=True, blank=True)
    # The room's revision at which it was last edited, removed or given its thumbnail; 0: it is as it was posted.
    revision = models.BigIntegerField(_("revision"), default=0)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="chat_message_number"),
            models.UniqueConstraint(fields=["room", "author_key", "uid"], name="chat_message_uid"),
        ]
        indexes = [
            # Who asks for a file must be allowed to read the room that it belongs to. Nearly all messages have no file,
            # and no entry: a query uses these if it says so in the words of the condition, as chat.views.media does.
            models.Index(fields=["image"], name="chat_message_image", condition=Q(image__gt="")),
            models.Index(fields=["thumbnail"], name="chat_message_thumbnail", condition=Q(thumbnail__gt="")),
            # Small, since few messages are ever changed: what somebody who was away has to be told of.
            models.Index(fields=["room", "revision"], name="chat_message_revision", condition=Q(revision__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.room} {self.seq}"


class Mention(models.Model):
    """Somebody's name in a message that they have not read: what the badge of unread mentions counts."""

    id = models.BigAutoField(primary_key=True)
    room = models.ForeignKey(Room, models.CASCADE, related_name="mentions", verbose_name=_("room"))
    seq = models.BigIntegerField(_("number"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="chat_mentions", verbose_name=_("user")
    )

    class Meta:
        verbose_name = _("mention")
        verbose_name_plural = _("mentions")
        constraints = [models.UniqueConstraint(fields=["user", "room", "seq"], name="chat_mention_unique")]

    def __str__(self) -> str:
        return f"{self.user} · {self.room} {self.seq}"
