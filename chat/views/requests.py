"""What requests of programs have in them: a body as a form or JSON, numbers, and a key against doing a thing twice."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest
from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from chat import limits, messages


def content_of(request: HttpRequest) -> dict[str, Any]:
    """Return what was posted, as a form or as a JSON object.

    Raises:
        StreamError: ``too_large``, ``malformed``.
    """
    if request.content_type != "application/json":
        try:
            return request.POST.dict()
        except (RequestDataTooBig, TooManyFieldsSent):
            raise StreamError("too_large", _("The request is too large.")) from None
    if _length(request) > limits.REQUEST or len(request.body) > limits.REQUEST:
        raise StreamError("too_large", _("The request is too large."))
    try:
        content = json.loads(request.body)
    # RecursionError: arrays nested a thousand deep.
    except (ValueError, RecursionError):
        raise StreamError("malformed", _("The request is not JSON.")) from None
    if not isinstance(content, dict):
        raise StreamError("malformed", _("The request is not a JSON object."))
    return content


def idempotency_key(request: HttpRequest) -> str | None:
    """Return the header ``Idempotency-Key``, under the rules of a message's ``id``; None where there is none.

    Raises:
        StreamError: ``bad_field`` or ``too_large``.
    """
    if "HTTP_IDEMPOTENCY_KEY" not in request.META:
        return None
    return messages.client_uid({"id": request.META["HTTP_IDEMPOTENCY_KEY"].strip()})


def number(request: HttpRequest, name: str, default: int | None, low: int, high: int = 2**63 - 1) -> int | None:
    """Return the number *name* of the query, from *low* to *high*, or *default*.

    Raises:
        StreamError: ``bad_field``.
    """
    return integer(name, request.GET[name], low, high) if name in request.GET else default


def integer(name: str, text: str, low: int, high: int = 2**63 - 1) -> int:
    """Return *text* as a number from *low* to *high*, under the terms of :func:`number`."""
    # int() would take signs, blanks, underscores and the digits of other scripts, and texts of any length.
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    if not low <= value <= high:
        raise StreamError("bad_field", _("%(name)s must be a number from %(low)d") % {"name": name, "low": low})
    return value


def _length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if str(length).isdigit() else 0
