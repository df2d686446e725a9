"""The Origin check of WebSocket handshakes, on by default.

Browsers send a site's cookies with a WebSocket handshake whichever page opens it, and no same-origin policy stops them;
the Origin header, which a page cannot forge, is the only protection (RFC 6455, section 10.2).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

from channels_lts import conf

logger = logging.getLogger(__name__)

Headers = list[tuple[bytes, bytes]] | dict[str, str | bytes]

# What Django itself admits while developing with an empty ALLOWED_HOSTS.
_DEBUG_HOSTS = [".localhost", "127.0.0.1", "[::1]"]


class OriginGuard:
    """A routing entry that refuses handshakes from foreign pages with 403, and lets everything else pass.

    Put it first in the routing: it then covers every WebSocket route, function consumers included, and no new one can
    forget it. A handshake without an Origin header passes, since every browser sends one; the header protects people's
    cookies, not the server from programs.

    Args:
        unless: Says of a handshake that its cookies do not count, so that there is nothing to protect: it passes from
            anywhere. Whoever says so sees to it that nobody reads them: :func:`channels_lts.bearer.without_cookies`.
    """

    def __init__(self, *, unless: Callable[[Any], bool] | None = None) -> None:
        self._unless = unless

    def channel_names(self) -> set[str]:
        return {"websocket.connect"}

    def match(self, message: Any) -> tuple[Callable[..., None], dict[str, Any]] | None:
        if message.channel.name != "websocket.connect" or origin_allowed(message.get("headers", [])):
            return None
        if self._unless is not None and self._unless(message):
            return None
        return refuse_foreign_origin, {}


def refuse_foreign_origin(message: Any, **kwargs: Any) -> None:
    """Refuse the handshake: a consumer for ``websocket.connect``."""
    # Here, since importing this module must not need Channels to be importable yet.
    from channels.exceptions import DenyConnection

    logger.warning(
        "refused a WebSocket from origin %s to %s", _origins(message.get("headers", [])), message.get("path")
    )
    raise DenyConnection


def origin_allowed(headers: Headers) -> bool:
    """Whether a handshake with these *headers* (name and value pairs as in the ASGI 1 message) may go on.

    False for an origin outside ``CHANNELS_LTS["ALLOWED_ORIGINS"]`` (by default ``ALLOWED_HOSTS``), for ``null``, for
    anything that is no origin, and for more than one Origin header.
    """
    origins = _origins(headers)
    if not origins:
        return True
    if len(origins) > 1:
        return False
    try:
        parts = urlsplit(origins[0].decode("ascii"))
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        return False
    if scheme not in {"http", "https"} or not host:
        return False
    if ":" in host:
        host = f"[{host}]"
    return any(_matches(pattern, scheme, host, port) for pattern in _allowed())


def _origins(headers: Headers) -> list[bytes]:
    # A dict is how drafts of ASGI had them, and how Channels' own WSClient still sends them.
    pairs = headers.items() if isinstance(headers, dict) else headers
    return [_bytes(value) for name, value in pairs if _bytes(name).lower() == b"origin"]


def _bytes(text: str | bytes) -> bytes:
    return text.encode("latin1") if isinstance(text, str) else text


def _allowed() -> list[str]:
    allowed = conf.get("ALLOWED_ORIGINS")
    if allowed is not None:
        return allowed
    return settings.ALLOWED_HOSTS or (_DEBUG_HOSTS if settings.DEBUG else [])


def _matches(pattern: str, scheme: str, host: str, port: int | None) -> bool:
    if "://" not in pattern:
        return validate_host(host, [pattern])
    wanted = urlsplit(pattern)
    default = {"http": 80, "https": 443}
    return (
        wanted.scheme == scheme
        and validate_host(host, [wanted.netloc.rpartition(":")[0] if wanted.port else wanted.netloc])
        and (wanted.port or default.get(wanted.scheme)) == (port or default[scheme])
    )
