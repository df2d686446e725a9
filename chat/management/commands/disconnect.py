from __future__ import annotations

from typing import Any

from channels import Group
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from channels_lts import close_codes, sessions
from chat import broadcast, groups
from chat.models import Room


class Command(BaseCommand):
    help = (
        f"Close all sockets of one user, or all that are in one room, with code {close_codes.DISCONNECTED.code}: "
        "browsers then do not come back by themselves. It locks nobody out: for that, switch the account off first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--user", metavar="NAME", help="the user with this name")
        whose.add_argument("--room", metavar="ROOM", help="the room with this slug")

    def handle(self, *args: Any, **options: Any) -> None:
        if not broadcast.heard_elsewhere():
            self.stderr.write(self.style.WARNING("The channel layer is in memory: no other process hears of this."))
        names = self._user(options["user"]) if options["user"] is not None else self._room(options["room"])
        found = 0
        for name in names:
            group = Group(name)
            found += len(list(group.channel_layer.group_channels(name)))
            group.send({"close": close_codes.DISCONNECTED.code})
        self.stdout.write(f"Told {found} socket{'' if found == 1 else 's'} to close.")

    def _user(self, name: str) -> list[str]:
        model = get_user_model()
        user = model.objects.filter(**{model.USERNAME_FIELD: name}).first()
        if user is None:
            raise CommandError(f"There is no user {name!r}.")
        return [sessions.user_group(user)]

    def _room(self, slug: str) -> list[str]:
        room = Room.objects.filter(slug=slug).first()
        if room is None:
            raise CommandError(f"There is no room {slug!r}; the slug is what its address ends in.")
        return [groups.room(room.pk), groups.plain(room.pk)]
