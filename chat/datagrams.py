"""Datagrams of services: ``{"hook": TOKEN, "body": …}`` or ``TOKEN text``, into the room of a webhook.

The answer is ``{"seq": …}``, or ``{"error": {"code", "reason"}}``; UDP may lose both ways. Who cannot bear that names
the message by ``id``, and sends it again until there is an answer: it is stored once. Addresses can be forged, so who
knows no webhook gets no answer that is longer than what they sent: nobody can have us shout at somebody else.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from channels_lts.streams import field
from chat import messages, responses, webhooks

logger = logging.getLogger(__name__)


def datagram(message: Any) -> None:
    """Post what a datagram says: the consumer of ``udp.receive``."""
    # Programs read the answer. Without this, the language would be that of whatever this thread served before.
    with translation.override(settings.LANGUAGE_CODE):
        try:
            answer = _post(message["data"])
        except StreamError as error:
            answer = {"error": {"code": error.code}} if error.code == "not_found" else responses.error_body(error)
        except Exception:
            logger.exception("a datagram from %s failed", message.get("client"))
            answer = responses.error_body(StreamError("internal", _("The server failed; it has been logged.")))
    data = json.dumps(answer, ensure_ascii=False).encode()
    if answer.get("error") != {"code": "not_found"} or len(data) <= len(message["data"]):
        message.reply_channel.send({"data": data})


def _post(data: bytes) -> dict[str, Any]:
    secret, body, uid = _read(data)
    webhook = webhooks.find(secret)
    if isinstance(body, StreamError):
        raise body
    message, again = webhooks.post(webhook, body, uid)
    return {"seq": message.seq, "dup": again, **({"id": uid} if uid else {})}


def _read(data: bytes) -> tuple[str, str | StreamError, str | None]:
    """Return token, text and id; in place of the text what is wrong with it, for who has the right token."""
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        raise StreamError("not_found", _("There is no such webhook.")) from None
    if not text.startswith("{"):
        secret, _blank, body = text.partition(" ")
        return secret, body, None
    try:
        content = json.loads(text)
    # RecursionError: arrays nested a thousand deep.
    except (ValueError, RecursionError):
        raise StreamError("not_found", _("There is no such webhook.")) from None
    hook = content.get("hook") if isinstance(content, dict) else None
    if not isinstance(hook, str):
        raise StreamError("not_found", _("There is no such webhook."))
    try:
        return hook, field(content, "body", str), messages.client_uid(content)
    except StreamError as error:
        return hook, error, None
