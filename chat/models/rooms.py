from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Case, Count, Exists, F, FilteredRelation, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from chat import limits

if TYPE_CHECKING:
    from chat.identity import Identity

# What /rooms/<slug>/ cannot be, since other pages are there.
RESERVED_SLUGS = {"new"}


class RoomQuerySet(models.QuerySet):
    def with_membership(self, identity: Identity | None, *, at: datetime.datetime | None = None) -> RoomQuerySet:
        """Annotate each room with what *identity* is in it.

        ``role`` and ``last_read`` are None where they are no member; ``banned`` says whether a ban of theirs lasts,
        now or at the time *at*.
        """
        user_id, key = (identity.user_id, identity.key) if identity else (None, "")
        bans = Ban.objects.lasting(at).filter(room=OuterRef("pk"), key=key)
        return self.annotate(
            mine=FilteredRelation("memberships", condition=Q(memberships__user=user_id or 0)),
            role=F("mine__role"),
            last_read=F("mine__last_read_seq"),
            banned=Exists(bans),
        )

    def with_mentions(self, identity: Identity | None) -> RoomQuerySet:
        """Annotate each room with the number of ``unread_mentions`` of *identity* in it."""
        if identity is None or identity.user_id is None:
            return self
        Mention: Any = Room._meta.get_field("mentions").related_model
        mine = Mention.objects.filter(room=OuterRef("pk"), user=identity.user_id).order_by().values("room")
        count = Subquery(mine.annotate(number=Count("pk")).values("number"), output_field=models.IntegerField())
        return self.annotate(unread_mentions=Coalesce(count, 0))

    def with_other(self, identity: Identity | None) -> RoomQuerySet:
        """Annotate each direct room with ``other_name``: what the one calls whom *identity* talks to in it."""
        user_id = identity.user_id if identity else None
        other = Membership.objects.filter(room=OuterRef("pk")).exclude(user=user_id or 0).values("user__username")[:1]
        name = Case(When(direct__isnull=False, then=Subquery(other)), default=None, output_field=models.CharField())
        return self.annotate(other_name=name)


class Room(models.Model):
    """A room: public, private or direct. Its messages are numbered from 1 to ``last_seq`` without gaps.

    Each change of a stored message (edit, removal, thumbnail) is numbered too, from 1 to ``revision`` without gaps. A
    direct room is private, belongs to two people for good, and is called by the other one's name.
    """

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(_("name"), max_length=limits.ROOM_NAME)
    slug = models.CharField(_("slug"), max_length=limits.SLUG, unique=True, editable=False)
    topic = models.CharField(_("topic"), max_length=limits.TOPIC, blank=True)
    private = models.BooleanField(_("private"), default=False, help_text=_("Only members see it."))
    last_seq = models.BigIntegerField(_("last number"), default=0, editable=False)
    revision = models.BigIntegerField(_("revision"), default=0, editable=False)
    # Numbers who comes and goes from 1 on, so that whoever hears of it in another order knows what came last.
    presence = models.BigIntegerField(_("comings and goings"), default=0, editable=False)
    slow_seconds = models.PositiveIntegerField(
        _("slow mode"), default=0, blank=True, help_text=_("Seconds between two messages of one person; 0: no limit.")
    )
    # The keys of the two people, in order: one direct room for each pair. None, and not empty, since it is unique.
    direct = models.CharField(  # noqa: DJ001
        _("direct"), max_length=limits.DIRECT, null=True, unique=True, editable=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    # Set by RoomQuerySet.with_membership.
    role: str | None = None
    last_read: int | None = None
    banned: bool = False
    # Set by RoomQuerySet.with_other.
    other_name: str | None = None
    # Set by RoomQuerySet.with_mentions.
    unread_mentions: int = 0

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
    def sort(self) -> str:
        """``public``, ``private`` or ``direct``: the column of the permission matrix."""
        if self.direct is not None:
            return "direct"
        return "private" if self.private else "public"

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


class BanQuerySet(models.QuerySet):
    def lasting(self, at: datetime.datetime | None = None) -> BanQuerySet:
        """Return those that have not ended by themselves, now or at the time *at*."""
        return self.filter(Q(until=None) | Q(until__gt=at or timezone.now()))


class Ban(models.Model):
    """Somebody who may not enter a room, a guest too, until a time or for good."""

    id = models.BigAutoField(primary_key=True)
    room = models.ForeignKey(Room, models.CASCADE, related_name="bans", verbose_name=_("room"))
    key = models.CharField(_("key"), max_length=limits.KEY)
    name = models.CharField(_("name"), max_length=150)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    objects = BanQuerySet.as_manager()

    class Meta:
        verbose_name = _("ban")
        verbose_name_plural = _("bans")
        constraints = [models.UniqueConstraint(fields=["room", "key"], name="chat_ban_unique")]

    def __str__(self) -> str:
        return f"{self.name} · {self.room}"


class Invitation(models.Model):
    """A link that makes whoever follows it, signed in, a member of a private room."""

    id = models.BigAutoField(primary_key=True)
    room = models.ForeignKey(Room, models.CASCADE, related_name="invitations", verbose_name=_("room"))
    token = models.CharField(_("token"), max_length=64, unique=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    uses_left = models.PositiveIntegerField(_("uses left"), null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return f"{self.room} · {self.created_by}"


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
