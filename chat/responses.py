"""HTTP responses as channel messages, for consumers that answer ``http.request`` without Django's views."""

from __future__ import annotations

import functools
import json
import logging
import math
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import translation
from django.utils.translation import gettext as _

from channels_lts import bearer
from channels_lts.exceptions import StreamError

logger = logging.getLogger(__name__)

STATUS = {
    "bad_field": 400,
    "malformed": 400,
    "bad_token": 401,
    "not_allowed": 403,
    "not_found": 404,
    "bad_method": 405,
    "conflict": 409,
    "too_large": 413,
    "unsupported": 415,
    "too_fast": 429,
    "internal": 500,
    "unavailable": 503,
}


def status_of(error: StreamError) -> int:
    """Return the HTTP status for *error*."""
    return STATUS.get(error.code, 400)


def headers_of(error: StreamError) -> dict[str, str]:
    """Return the headers that go with the answer to *error*."""
    if error.code == "bad_token":
        return {"WWW-Authenticate": bearer.challenge("chat", error="invalid_token")}
    if error.retry_after_ms is not None:
        return {"Retry-After": str(math.ceil(error.retry_after_ms / 1000))}
    return {}


def error_body(error: StreamError, **fields: Any) -> dict[str, Any]:
    """Return the JSON that answers a request that was refused."""
    return {"error": error.public(), **fields}


def json_response(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the channel message that answers an ``http.request`` with *content* as JSON, and *headers* besides."""
    body = json.dumps(content, cls=DjangoJSONEncoder, ensure_ascii=False).encode()
    return {
        "status": status,
        "headers": [
            (b"Content-Type", b"application/json"),
            (b"Content-Length", str(len(body)).encode()),
            (b"Cache-Control", b"no-store"),
            (b"X-Content-Type-Options", b"nosniff"),
            *((name.encode(), value.encode()) for name, value in (headers or {}).items()),
        ],
        "content": body,
        "more_content": False,
    }


def answers_errors(consumer: Callable[..., None]) -> Callable[..., None]:
    """Wrap an ``http.request`` consumer: what it raises becomes a JSON answer.

    Without one the client would wait for the interface server's time limit, and then hear nothing of the reason.
    """

    @functools.wraps(consumer)
    def inner(message: Any, **kwargs: Any) -> None:
        # Programs read this. Without it, the language would be that of whichever page this thread served before.
        with translation.override(settings.LANGUAGE_CODE):
            try:
                consumer(message, **kwargs)
            except StreamError as error:
                refusal = error
            except Exception:
                logger.exception("%s failed on %s", consumer.__name__, message.get("path"))
                refusal = StreamError("internal", _("The server failed; it has been logged."))
            else:
                return
        message.reply_channel.send(json_response(error_body(refusal), status_of(refusal), headers_of(refusal)))

    return inner
