from __future__ import annotations

from typing import Any

from channels import Group
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from channels_lts import streams
from channels_lts.exceptions import StreamError
from chat import broadcast, groups, payloads
from chat.models import Room
from chat.text import clean_body


class Command(BaseCommand):
    help = "Show TEXT to everybody who is connected, or to those who are in one room. It is not stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("text", metavar="TEXT")
        parser.add_argument("--room", metavar="ROOM", help="only to the room with this slug")

    def handle(self, *args: Any, **options: Any) -> None:
        if not broadcast.heard_elsewhere():
            self.stderr.write(self.style.WARNING("The channel layer is in memory: no other process hears of this."))
        try:
            text = clean_body(options["text"])
        except StreamError as error:
            raise CommandError(error.reason) from error
        slug, group = options["room"], groups.EVERYBODY
        if slug is not None:
            room = Room.objects.filter(slug=slug).first()
            if room is None:
                raise CommandError(f"There is no room {slug!r}; the slug is what its address ends in.")
            group = groups.room(room.pk)
        payload = {"type": "announcement", "text": text, "at": payloads.timestamp(timezone.now()), "room": slug}
        Group(group).send(streams.encode("system", payload))
        self.stdout.write(f"Announced to {'everybody' if slug is None else f'the room {slug}'}.")
