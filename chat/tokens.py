"""Tokens: what programs show in place of a password. Each acts for one person, and may do all that they may do.

A token is shown once, when it is made; what is kept is a digest. Sockets that were opened with it close when it is
revoked. A new password closes them too, but leaves the token: only revoking ends it.
"""

from __future__ import annotations

import datetime
import hmac
from typing import Any

from channels import Channel
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_lts import bearer, close_codes, revocation
from channels_lts.exceptions import StreamError
from chat import limits
from chat.models import Token
from chat.text import clean_name

PREFIX = "chat_"
_USED_EVERY = datetime.timedelta(seconds=limits.TOKEN_USED_WRITE)


def make(user: Any, name: str, *, days: int | None = None) -> tuple[Token, str]:
    """Make a token of *user*, and return it with what to show; nobody can find that out again.

    Args:
        days: After so many it expires; None: never.

    Raises:
        StreamError: ``bad_field`` or ``too_large`` for the name or the days, ``not_allowed`` where there are too many.
    """
    name = checked_name(name)
    if days is not None and not 1 <= days <= limits.TOKEN_DAYS:
        raise StreamError("bad_field", _("A token lives for 1 to %(limit)d days.") % {"limit": limits.TOKEN_DAYS})
    expires_at = None if days is None else timezone.now() + datetime.timedelta(days=days)
    secret = bearer.new(PREFIX)
    with transaction.atomic():
        # Two at once may end up with one more than that, which harms nobody.
        if Token.objects.filter(user=user).count() >= limits.TOKENS:
            raise StreamError("not_allowed", _("You have %(limit)d tokens: revoke one.") % {"limit": limits.TOKENS})
        token = Token.objects.create(user=user, name=name, digest=bearer.digest(secret), expires_at=expires_at)
    return token, secret


def checked_name(text: str) -> str:
    """Return the name of a token or a webhook, tidied up.

    Raises:
        StreamError: ``bad_field``: nothing visible is left; ``too_large``.
    """
    name = clean_name(text)
    if not name:
        raise StreamError("bad_field", _("Give it a name."))
    if len(name) > limits.WAY_NAME:
        raise StreamError("too_large", _("A name has at most %(limit)d characters.") % {"limit": limits.WAY_NAME})
    return name


def listed(user: Any) -> list[Token]:
    """Return the tokens of *user*, those that have expired too, the newest first."""
    return list(Token.objects.filter(user=user).order_by("-created_at", "-pk"))


def revoke(user: Any, pk: int) -> bool:
    """End one token of *user*, and close its sockets; False where they have none of this id."""
    return bool(Token.objects.filter(user=user, pk=pk).delete()[0])


def revoked(token: Token) -> None:
    """Close the sockets of *token*, which has been deleted: a receiver's business, so that the admin's are told too."""
    revocation.close_group(group(token.digest))


def check(secret: str) -> Token:
    """Return the token that *secret* is, with its user, and note that it was used. Costs one query, seldom two.

    Raises:
        StreamError: ``bad_token``: there is none, it has expired, or its user's account is closed.
    """
    digest = bearer.digest(secret)
    token = _alive().filter(digest=digest).first() if secret else None
    if token is None or not hmac.compare_digest(token.digest, digest):
        raise StreamError("bad_token", _("This token is not valid, or no longer valid."))
    _note_use(token)
    return token


def alive(pk: int) -> bool:
    """Whether the token with this id may still be used."""
    return _alive().filter(pk=pk).exists()


def group(digest: str) -> str:
    """Return the group of the sockets that were opened with the token of this digest."""
    return f"chat.token.{digest[:32]}"


def open_socket(message: Any, secret: str) -> Token:
    """Return the token that *message*, which opens a socket, shows. From now on the socket ends with it.

    Raises:
        StreamError: ``bad_token``.
    """
    # Join first, then look: whoever revokes it meanwhile closes this socket, or has made the token invalid already.
    revocation.join(message, group(bearer.digest(secret)))
    revocation.watch(message, check(secret).user_id)
    token = check(secret)
    bearer.sign_in(message.channel_session, token.user)
    _close_at_end(message, token)
    return token


def _alive() -> Any:
    now = timezone.now()
    tokens = Token.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), user__is_active=True)
    return tokens.select_related("user")


def _note_use(token: Token) -> None:
    now = timezone.now()
    if token.last_used_at is not None and now - token.last_used_at < _USED_EVERY:
        return
    # Of those that come at the same moment only one writes.
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _USED_EVERY)
    Token.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def _close_at_end(message: Any, token: Token) -> None:
    """Have the delay server close a socket when its token expires; of one that may live for longer than a socket, not.

    A socket that has gone by then is nobody: the interface server drops the message.
    """
    if token.expires_at is None:
        return
    left = (token.expires_at - timezone.now()).total_seconds()
    if left < limits.CLIENT_ROW:
        content = {"close": close_codes.NOT_ALLOWED.code}
        delay = max(0, int(left * 1000))
        Channel("asgi.delay").send({"channel": message.reply_channel.name, "content": content, "delay": delay})
