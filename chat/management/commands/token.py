from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from channels_lts.exceptions import StreamError
from channels_lts.payloads import storable
from chat import tokens


class Command(BaseCommand):
    help = "Make a token NAME for a program that acts as USER, and print it: it cannot be found out again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER", help="the name that this person, or service, signs in with")
        parser.add_argument("name", metavar="NAME", help="what the token is for")
        parser.add_argument("--days", type=int, metavar="N", help="it expires after so many days; without this, never")
        parser.add_argument("--revoke", action="store_true", help="revoke the tokens of this name instead")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["user"]
        user = get_user_model().objects.filter(username=name).first() if storable(name) else None
        if user is None:
            raise CommandError(f"There is nobody called {name!r}; make them with: manage.py createsuperuser")
        if options["revoke"]:
            self._revoke(user, options["name"])
            return
        if not user.is_active:
            raise CommandError(f"The account of {name!r} is closed.")
        try:
            _token, secret = tokens.make(user, options["name"], days=options["days"])
        except StreamError as error:
            raise CommandError(error.reason) from error
        # Nothing besides, so that a script can take it.
        self.stdout.write(secret)

    def _revoke(self, user: Any, name: str) -> None:
        found = [token for token in tokens.listed(user) if token.name == name]
        if not found:
            raise CommandError(f"{user.get_username()} has no token called {name!r}.")
        for token in found:
            tokens.revoke(user, token.pk)
        self.stdout.write(f"Revoked {len(found)}.")
