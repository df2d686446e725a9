from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext_lazy as _

from chat import changes, rooms
from chat.models import Ban, Client, Invitation, Membership, Message, Room, Token, Webhook


class Unchangeable(admin.ModelAdmin):
    """What people make in the chat: to be looked at, and to be deleted."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in self.model._meta.fields if field.name not in (self.exclude or ())]


class MembershipInline(admin.TabularInline):
    model = Membership
    raw_id_fields = ["user"]
    readonly_fields = ["last_read_seq"]
    extra = 0


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "private", "last_seq", "created_by", "created_at"]
    list_filter = ["private", "created_at"]
    list_select_related = ["created_by"]
    search_fields = ["name", "slug", "topic"]
    raw_id_fields = ["created_by"]
    date_hierarchy = "created_at"
    ordering = ["name"]
    inlines = [MembershipInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fixed = ["slug", "direct", "last_seq", "revision", "created_at"]
        # A direct room belongs to its two people: nothing of it can be changed.
        return [*fixed, "name", "topic", "private", "slow_seconds", "created_by"] if obj and obj.direct else fixed

    def save_model(self, request: HttpRequest, obj: Room, form: Any, change: bool) -> None:
        """Write what the form changed, and not the counters: people may have talked while it was open."""
        if change:
            obj.save(update_fields=form.changed_data)
        else:
            obj.save()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[str], dict[Any, int], set[Any], list]:
        """Count what would go with the rooms. Django fetches and shows every row, of which there may be a million."""
        names = [f"{capfirst(Room._meta.verbose_name)}: {room}" for room in objs]
        counts, missing = {Room._meta.verbose_name_plural: len(names)}, set()
        if not self.has_delete_permission(request):
            missing.add(Room._meta.verbose_name)
        for model in rooms.CONTENTS:
            count = model._base_manager.filter(room__in=objs).count()
            if not count:
                continue
            counts[model._meta.verbose_name_plural] = count
            registered = self.admin_site._registry.get(model)
            if registered is not None and not registered.has_delete_permission(request):
                missing.add(model._meta.verbose_name)
        return names, counts, missing, []

    def delete_model(self, request: HttpRequest, obj: Room) -> None:
        rooms.delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        for room in queryset.iterator():
            rooms.delete(room)


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ["room", "user", "role", "last_read_seq"]
    list_filter = ["role"]
    list_select_related = ["room", "user"]
    search_fields = ["room__name", "room__slug", "user__username"]
    raw_id_fields = ["room", "user"]
    ordering = ["room", "user"]


@admin.register(Message)
class MessageAdmin(Unchangeable):
    """Messages are posted in the chat, and deleting one leaves its number as a tombstone."""

    list_display = ["room", "seq", "author_name", "excerpt", "has_image", "removed", "created_at"]
    list_display_links = ["seq"]
    list_filter = ["removed", "created_at"]
    list_select_related = ["room"]
    search_fields = ["body", "author_name", "room__name", "room__slug"]
    raw_id_fields = ["room", "author"]
    date_hierarchy = "created_at"
    ordering = ["-id"]

    def excerpt(self, message: Message) -> str:
        return Truncator(message.body).chars(80)

    excerpt.short_description = _("text")  # type: ignore[attr-defined]

    def has_image(self, message: Message) -> bool:
        return bool(message.image)

    has_image.boolean = True  # type: ignore[attr-defined]
    has_image.short_description = _("image")  # type: ignore[attr-defined]

    def delete_model(self, request: HttpRequest, obj: Message) -> None:
        changes.remove(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        for message in queryset.iterator():
            changes.remove(message)


@admin.register(Client)
class ClientAdmin(admin.ModelAdmin):
    list_display = ["name", "key", "room", "present", "plain", "seen_at", "channel_name"]
    list_filter = ["present", "plain", "seen_at"]
    list_select_related = ["room"]
    search_fields = ["name", "key", "room__name", "room__slug"]
    raw_id_fields = ["room", "user"]
    ordering = ["-seen_at"]


@admin.register(Ban)
class BanAdmin(admin.ModelAdmin):
    list_display = ["room", "name", "key", "until", "created_by", "created_at"]
    list_filter = ["created_at", "until"]
    list_select_related = ["room", "created_by"]
    search_fields = ["name", "key", "room__name", "room__slug"]
    raw_id_fields = ["room", "created_by"]
    ordering = ["-created_at"]


@admin.register(Invitation)
class InvitationAdmin(Unchangeable):
    """Who has the token may enter, so it is not shown: the chat shows it to those who manage the room."""

    list_display = ["room", "created_by", "created_at", "expires_at", "uses_left"]
    list_filter = ["created_at", "expires_at"]
    list_select_related = ["room", "created_by"]
    search_fields = ["room__name", "room__slug", "created_by__username"]
    exclude = ["token"]
    ordering = ["-created_at"]


@admin.register(Token)
class TokenAdmin(Unchangeable):
    list_display = ["name", "user", "created_at", "last_used_at", "expires_at"]
    list_filter = ["created_at", "expires_at"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username"]
    exclude = ["digest"]
    ordering = ["-created_at"]


@admin.register(Webhook)
class WebhookAdmin(Unchangeable):
    list_display = ["name", "room", "created_by", "created_at", "last_used_at"]
    list_filter = ["created_at"]
    list_select_related = ["room", "created_by"]
    search_fields = ["name", "room__name", "room__slug"]
    exclude = ["digest"]
    ordering = ["-created_at"]
