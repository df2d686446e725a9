"""Channel sessions, user and order of Channels 1.1.8: what its decorators get wrong whatever Django is installed.

``?session_key=`` in an address is no HTTP session; sockets are told when their session or their user's rights end;
the channel session is deleted with its socket; ``message.user`` is looked up when somebody asks for it;
and ``enforce_ordering`` is that of :mod:`channels_lts.ordering`.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any

from channels_lts.compat.imports import after_import

logger = logging.getLogger(__name__)

Consumer = Callable[..., Any]
_OURS = "channels_lts.sessions"


def install() -> None:
    """Mend the modules when they are imported."""
    after_import("channels.sessions", _mend_sessions)
    after_import("channels.auth", _mend_auth)
    after_import("channels.test.websocket", _mend_client)


def _mend_sessions(module: ModuleType) -> None:
    from channels_lts import ordering

    channels: Any = module
    channels.AsgiRequest = _without_address(channels.AsgiRequest)
    channels.session_for_reply_channel = _session_finder(channels.session_for_reply_channel)
    channels.channel_session = _ending(channels.channel_session)
    channels.http_session = _watching(channels.http_session)
    channels.enforce_ordering = ordering.decorator(channels.enforce_ordering, channels.channel_session)


def _without_address(request_class: Any) -> Any:
    """Return the class of requests in which ``http_session`` looks for a session, without what the address says."""
    return type(request_class.__name__, (request_class,), {"GET": {}, "__module__": request_class.__module__})


def _session_finder(original: Callable[[str], Any]) -> Callable[[str], Any]:
    @functools.wraps(original)
    def session_for_reply_channel(reply_channel: str) -> Any:
        from django.conf import settings

        if getattr(settings, "CHANNEL_SESSION_ENGINE", "") != _OURS:
            return original(reply_channel)
        from channels_lts.sessions import for_reply_channel

        return for_reply_channel(reply_channel)

    return session_for_reply_channel


def _ending(original: Callable[[Consumer], Consumer]) -> Callable[[Consumer], Consumer]:
    """Wrap ``channel_session``: the session ends after the consumers of the disconnect, or of a refused connect."""
    from channels.message import Message

    @functools.wraps(original)
    def channel_session(func: Consumer) -> Consumer:
        @functools.wraps(func)
        def opened(*args: Any, **kwargs: Any) -> Any:
            _begin(next(arg for arg in args[:2] if isinstance(arg, Message)))
            return func(*args, **kwargs)

        outer, inner = original(opened), original(func)

        @functools.wraps(func)
        def consumer(*args: Any, **kwargs: Any) -> Any:
            message = next((arg for arg in args[:2] if isinstance(arg, Message)), None)
            if message is None or hasattr(message, "channel_session"):
                return inner(*args, **kwargs)
            try:
                result = outer(*args, **kwargs)
            except Exception as error:
                if _is_over(message, error):
                    _end(message)
                raise
            if _is_over(message):
                _end(message)
            return result

        return consumer

    return channel_session


def _is_over(message: Any, error: Exception | None = None) -> bool:
    """Whether *message*, whose consumer ended with *error*, was the last of its socket."""
    from channels.exceptions import ConsumeLater, DenyConnection

    if message.channel.name == "websocket.connect":
        return isinstance(error, DenyConnection)
    # Its turn may not have come: then it is consumed once more.
    waits = isinstance(error, ConsumeLater) or "original_channel" in message
    return message.channel.name == "websocket.disconnect" and not waits


def _begin(message: Any) -> None:
    if message.channel.name == "websocket.connect":
        from channels_lts import revocation

        message.channel_session.opening = message
        message.channel_session.begins = True
        revocation.remember(message)


def _end(message: Any) -> None:
    from channels_lts import revocation

    session = getattr(message, "channel_session", None)
    if session is None:
        return
    try:
        revocation.leave(message)
        session.delete()
    except Exception:
        # Whatever a session engine or a layer raises. Both are of nobody any more, and expire by themselves.
        logger.exception("could not end the channel session of %s", message.reply_channel)


def _watching(original: Callable[[Consumer], Consumer]) -> Callable[[Consumer], Consumer]:
    """Wrap ``http_session``: a socket that opens hears of the end of its HTTP session."""

    @functools.wraps(original)
    def http_session(func: Consumer) -> Consumer:
        @functools.wraps(func)
        def watched(message: Any, *args: Any, **kwargs: Any) -> Any:
            from channels_lts import revocation

            revocation.watch_session(message)
            return func(message, *args, **kwargs)

        return original(watched)

    return http_session


def _mend_auth(module: ModuleType) -> None:
    channels: Any = module
    channels.auth = _LazyUsers(channels.auth)
    transfer = channels.transfer_user

    @functools.wraps(transfer)
    def transfer_user(from_session: Any, to_session: Any) -> None:
        from channels_lts import revocation

        revocation.watch_transferred(from_session, to_session)
        transfer(from_session, to_session)

    channels.transfer_user = transfer_user


class _LazyUsers:
    """``django.contrib.auth`` for Channels' decorators, with a ``get_user`` that asks nobody before somebody asks."""

    def __init__(self, auth: Any) -> None:
        self._auth = auth

    def __getattr__(self, name: str) -> Any:
        return getattr(self._auth, name)

    def get_user(self, request: Any) -> Any:
        from django.utils.functional import SimpleLazyObject

        return SimpleLazyObject(lambda: self._auth.get_user(request))


def _mend_client(module: ModuleType) -> None:
    """Give ``WSClient`` an HTTP session of its own, where it took the channel session for one: they are two stores."""
    from importlib import import_module

    client: Any = module.WSClient
    original = client.session

    def session(self: Any) -> Any:
        from django.conf import settings

        if getattr(settings, "CHANNEL_SESSION_ENGINE", settings.SESSION_ENGINE) == settings.SESSION_ENGINE:
            return original.fget(self)
        if not self._session:
            self._session = import_module(settings.SESSION_ENGINE).SessionStore()
            self._session.save()
        return self._session

    client.session = property(session, doc=original.__doc__)
