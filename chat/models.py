from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, FilteredRelation, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from chat import limits

# What /rooms/<slug>/ cannot be, since other pages are there.
RESERVED_SLUGS = {"new"}


class RoomQuerySet(models.QuerySet):
    def with_membership(self, user_id: int | None) -> RoomQuerySet:
        """Annotate each room with ``role`` and ``last_read`` of this user; both are None where they are no member."""
        return self.annotate(
            mine=FilteredRelation("memberships", condition=Q(memberships__user=user_id or 0)),
            role=F("mine__role"),
            last_read=F("mine__last_read_seq"),
        )


class Room(models.Model):
    """A room, public or private. Its messages are numbered from 1 to ``last_seq`` without gaps."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(_("name"), max_length=limits.ROOM_NAME)
    slug = models.CharField(_("slug"), max_length=limits.SLUG, unique=True, editable=False)
    topic = models.CharField(_("topic"), max_length=limits.TOPIC, blank=True)
    private = models.BooleanField(_("private"), default=False, help_text=_("Only members see it."))
    last_seq = models.BigIntegerField(_("last number"), default=0, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    # Set by RoomQuerySet.with_membership.
    role: str | None = None
    last_read: int | None = None

    objects = RoomQuerySet.as_manager()

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.slug:
            self.slug = free_slug(self.name)
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("room", args=[self.slug])

    @property
    def epoch(self) -> str:
        """Names this numbering of messages: another room that comes to the same slug has another epoch."""
        return f"{self.pk}.{int(self.created_at.timestamp())}"


class Membership(models.Model):
    """A person's place in a room: what they may do, and how far they have read."""

    OWNER = "owner"
    MODERATOR = "moderator"
    MEMBER = "member"
    ROLES = [(OWNER, _("owner")), (MODERATOR, _("moderator")), (MEMBER, _("member"))]

    id = models.BigAutoField(primary_key=True)
    room = models.ForeignKey(Room, models.CASCADE, related_name="memberships", verbose_name=_("room"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="chat_memberships", verbose_name=_("user")
    )
    role = models.CharField(_("role"), max_length=10, choices=ROLES, default=MEMBER)
    last_read_seq = models.BigIntegerField(_("last number read"), default=0)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint(fields=["room", "user"], name="chat_membership_unique")]

    def __str__(self) -> str:
        return f"{self.user} · {self.room}"


class Message(models.Model):
    """One message of a room. A removed one stays as a tombstone, so that the numbers have no gap."""

    id = models.BigAutoField(primary_key=True)
    room = models.ForeignKey(Room, models.CASCADE, related_name="messages", verbose_name=_("room"))
    seq = models.BigIntegerField(_("number"))
    uid = models.CharField(_("client's id"), max_length=limits.UID)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("author")
    )
    # Kept beside the user: guests have no row, and a message outlives the account of its author.
    author_key = models.CharField(_("author's key"), max_length=40)
    author_name = models.CharField(_("author's name"), max_length=150)
    body = models.TextField(_("text"), blank=True)
    image = models.FileField(_("image"), max_length=120, blank=True)
    thumbnail = models.FileField(_("thumbnail"), max_length=120, blank=True)
    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)
    removed = models.BooleanField(_("removed"), default=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="chat_message_number"),
            models.UniqueConstraint(fields=["room", "author_key", "uid"], name="chat_message_uid"),
        ]
        indexes = [
            # Who asks for a file must be allowed to read the room that it belongs to.
            models.Index(fields=["image"], name="chat_message_image"),
            models.Index(fields=["thumbnail"], name="chat_message_thumbnail"),
        ]

    def __str__(self) -> str:
        return f"{self.room} {self.seq}"


class Client(models.Model):
    """One socket in one room. Rows of sockets that went without a word grow stale and are swept: see chat.presence."""

    id = models.BigAutoField(primary_key=True)
    channel_name = models.CharField(_("channel"), max_length=100)
    room = models.ForeignKey(Room, models.CASCADE, related_name="clients", verbose_name=_("room"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("user")
    )
    key = models.CharField(_("key"), max_length=40)
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


def free_slug(name: str) -> str:
    """Return a slug for *name* that no room has: letters of any script stay, and a number tells twins apart.

    Another process may take it meanwhile; the unique column then refuses the second.
    """
    base = slugify(name, allow_unicode=True)[: limits.ROOM_NAME].strip("-_") or "room"
    taken = set(Room.objects.filter(slug__startswith=base).values_list("slug", flat=True)) | RESERVED_SLUGS
    slug, number = base, 1
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug
