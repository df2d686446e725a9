from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from chat import changes
from chat.models import Client, Membership, Message, Room


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
    readonly_fields = ["slug", "last_seq", "created_at"]
    date_hierarchy = "created_at"
    ordering = ["name"]
    inlines = [MembershipInline]


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ["room", "user", "role", "last_read_seq"]
    list_filter = ["role"]
    list_select_related = ["room", "user"]
    search_fields = ["room__name", "room__slug", "user__username"]
    raw_id_fields = ["room", "user"]
    ordering = ["room", "user"]


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
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

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in Message._meta.fields]

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
