"""Tokens in place of cookies: ``Authorization: Bearer …`` of requests and handshakes, and what is kept of a token.

Where the tokens are stored is the project's business; this reads the header, makes a token and its digest, and keeps
the cookies of whoever shows a token from counting as well.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Any

Headers = list[tuple[bytes, bytes]] | dict[str, str | bytes]

# RFC 6750, section 2.1: what a token may consist of.
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
# Longer ones are nobody's, and are not worth a look-up.
_LONGEST = 512
_BYTES = 32


def new(prefix: str = "") -> str:
    """Return a new token of 256 random bits. *prefix* lets people and scanners of leaked secrets see what it is."""
    return prefix + secrets.token_urlsafe(_BYTES)


def digest(token: str) -> str:
    """Return what to store of *token*, and to look it up by: 64 hexadecimal digits.

    SHA-256 by itself is enough, since a token is random: there is no dictionary of them to try, as there is of
    passwords. To look one up by its digest gives nothing away by the time that it takes.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def of_headers(headers: Headers) -> str | None:
    """Return the token that *headers* of an ASGI 1 message show; None where they show none.

    What cannot be one (malformed, too long, given twice) is ``""``: it was meant as a token, and is a wrong one.
    """
    # A dict is how drafts of ASGI had them, and how Channels' own WSClient still sends them.
    pairs = headers.items() if isinstance(headers, dict) else headers
    values = [_text(value) for name, value in pairs if _text(name).lower() == "authorization"]
    found = [token for token in map(of_value, values) if token is not None]
    return found[0] if len(found) == 1 and len(values) == 1 else "" if found else None


def of_value(value: str) -> str | None:
    """Return the token in the value of an ``Authorization`` header, under the terms of :func:`of_headers`."""
    scheme, _, token = value.strip().partition(" ")
    if scheme.lower() != "bearer":
        return None
    token = token.strip(" ")
    return token if len(token) <= _LONGEST and _TOKEN.fullmatch(token) else ""


def challenge(realm: str, *, error: str | None = None) -> str:
    """Return the value of ``WWW-Authenticate`` that goes with 401. *error*, after RFC 6750: ``invalid_token``."""
    return f'Bearer realm="{realm}"' + (f', error="{error}"' if error else "")


def without_cookies(message: Any) -> None:
    """Take the cookies out of *message*, a request or handshake: nothing that reads it later can fall back on them."""
    headers = message.content.get("headers", [])
    kept: Any
    if isinstance(headers, dict):
        kept = {name: value for name, value in headers.items() if _text(name).lower() != "cookie"}
    else:
        kept = [(name, value) for name, value in headers if _text(name).lower() != "cookie"]
    message.content = {**message.content, "headers": kept}


def sign_in(channel_session: Any, user: Any) -> None:
    """Let the frames of a socket find *user* until the password changes, as ``http_user`` does for who came by cookie.

    Have :func:`channels_lts.sessions.watch` close the socket when the user's rights end.
    """
    from django.conf import settings
    from django.contrib import auth

    channel_session[auth.SESSION_KEY] = user._meta.pk.value_to_string(user)
    channel_session[auth.BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    channel_session[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()


def _text(value: str | bytes) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else value
