"""Closing the sockets of people who logged out or lost their account, on every interface server.

A socket joins the group of its HTTP session and that of its user when it opens, before either is looked up: whoever
logs out meanwhile is then either nobody already, or is told to close.
"""

from __future__ import annotations

import functools
import hashlib
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from channels_lts import after_commit, close_codes

#: The value of a channel session that names the groups to leave when the socket ends.
GROUPS = "_channels_lts_groups"


def user_group(user: Any) -> str:
    """Return the group of all sockets of *user*, a user or its primary key."""
    return f"channels_lts.user.{_digest(getattr(user, 'pk', user))}"


def session_group(session_key: str) -> str:
    """Return the group of all sockets that were opened with one HTTP session. The name does not give the key away."""
    return f"channels_lts.session.{_digest(session_key)}"


def close_user(user: Any, code: int = close_codes.NOT_ALLOWED.code) -> None:
    """Close every socket of *user*, a user or its primary key, with *code*, when the transaction commits.

    For a ban, for a change that sends no signal (``QuerySet.update()``), and whatever else must not wait until the
    person leaves. It locks nobody out: do that first. An error of the channel layer is logged, not raised.
    """
    _close(user_group(user), code)


def close_session(session_key: str, code: int = close_codes.NOT_ALLOWED.code) -> None:
    """Close every socket that was opened with the HTTP session of this key, under the promise of :func:`close_user`."""
    _close(session_group(session_key), code)


def close_group(group: str, code: int = close_codes.NOT_ALLOWED.code) -> None:
    """Close every socket of *group*, which they came into by :func:`join`, under the promise of :func:`close_user`.

    For whatever else a project's sockets hang on: a token, a device, a ticket.
    """
    _close(group, code)


def watch(message: Any, user: Any) -> None:
    """Close the socket of *message* whenever those of *user*, a user or its primary key, are closed.

    Channels' decorators and attributes (``http_user``, …) do this by themselves; call it from ``websocket.connect``
    where a project finds out in another way who it is, before that way is checked.
    """
    join(message, user_group(user))


def watch_session(message: Any) -> None:
    """Close the socket of *message*, which opens, whenever its HTTP session ends."""
    session = message.http_session
    if _opens(message) and session is not None and session.session_key:
        join(message, session_group(session.session_key))


def watch_transferred(http_session: Any, channel_session: Any) -> None:
    """Watch the user that Channels found in *http_session* for the socket of *channel_session*, which opens."""
    from django.contrib.auth import SESSION_KEY

    message = getattr(channel_session, "opening", None)
    if message is not None and SESSION_KEY in http_session:
        watch(message, get_user_model()._meta.pk.to_python(http_session[SESSION_KEY]))


def join(message: Any, group: str) -> None:
    """Add the socket of *message* to *group* until it ends."""
    joined = message.__dict__.setdefault("joined_groups", [])
    if group in joined:
        return
    message.channel_layer.group_add(group, message.reply_channel.name)
    joined.append(group)
    remember(message)


def remember(message: Any) -> None:
    """Note in the channel session, if there is one yet, which groups to leave at the end."""
    session, joined = getattr(message, "channel_session", None), getattr(message, "joined_groups", [])
    if session is not None and joined and session.get(GROUPS) != joined:
        session[GROUPS] = list(joined)


def leave(message: Any) -> None:
    """Take the socket of *message*, which has ended or was refused, out of its groups."""
    session = getattr(message, "channel_session", None)
    names = [*getattr(message, "joined_groups", []), *((session or {}).get(GROUPS) or [])]
    for group in dict.fromkeys(names):
        message.channel_layer.group_discard(group, message.reply_channel.name)


def connect_signals() -> None:
    """Listen to what ends people's rights: for :class:`django.apps.AppConfig.ready`."""
    from django.contrib.auth.signals import user_logged_out
    from django.db.models.signals import post_delete, post_save

    user_logged_out.connect(_logged_out, dispatch_uid="channels_lts.logged_out")
    # Of any sender: a proxy of the user's model sends under its own name.
    post_save.connect(_saved, dispatch_uid="channels_lts.user_saved")
    post_delete.connect(_deleted, dispatch_uid="channels_lts.user_deleted")


def _logged_out(request: Any, **kwargs: Any) -> None:
    session = getattr(request, "session", None)
    key = getattr(session, "session_key", None)
    if session is None or not key:
        return
    close_session(key)
    flush = session.flush

    def flush_and_close() -> None:
        flush()
        # Once more: a socket that opened in between found the session still there.
        close_session(key)

    session.flush = flush_and_close


def _saved(instance: Any, created: bool = False, raw: bool = False, **kwargs: Any) -> None:
    if created or raw or not isinstance(instance, get_user_model()):
        return
    # Django's own mark of a password set since the row was read; an upgrade of the hash leaves none.
    password_changed = getattr(instance, "_password", None) is not None
    if password_changed or not getattr(instance, "is_active", True):
        close_user(instance)


def _deleted(instance: Any, **kwargs: Any) -> None:
    if isinstance(instance, get_user_model()):
        close_user(instance)


def _close(group: str, code: int) -> None:
    transaction.on_commit(functools.partial(_close_now, group, code))


def _close_now(group: str, code: int) -> None:
    from channels import Group, channel_layers

    # Who logs out must not fail where a layer does: it is logged.
    for alias in channel_layers.configs:
        after_commit.send_now(Group(group, alias=alias), {"close": code})


def _opens(message: Any) -> bool:
    return message.channel.name == "websocket.connect" and bool(message.reply_channel)


def _digest(value: Any) -> str:
    return hashlib.sha256(str(value).encode()).hexdigest()[:32]
