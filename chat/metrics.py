"""``GET /metrics`` for Prometheus, by a consumer of its own: it works while all views are busy with something else."""

from __future__ import annotations

import hmac
import ipaddress
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from channels_lts import metrics as exposition
from channels_lts.exceptions import StreamError
from chat.responses import answers_errors


@answers_errors
def metrics(message: Any) -> None:
    """Answer whoever shows ``METRICS_TOKEN``; where none is set, whoever asks from this very machine."""
    if message["method"] not in ("GET", "HEAD"):
        raise StreamError("bad_method", _("Only GET is possible here."))
    if not _allowed(message):
        raise StreamError("not_found", _("There is no such page."))
    body = exposition.render(message.channel_layer)
    message.reply_channel.send(
        {
            "status": 200,
            "headers": [
                (b"Content-Type", exposition.CONTENT_TYPE.encode()),
                (b"Content-Length", str(len(body)).encode()),
                (b"Cache-Control", b"no-store"),
            ],
            "content": body,
            "more_content": False,
        }
    )


def _allowed(message: Any) -> bool:
    headers = {name.lower(): value for name, value in message.get("headers", [])}
    if settings.METRICS_TOKEN:
        return hmac.compare_digest(headers.get(b"authorization", b""), b"Bearer " + settings.METRICS_TOKEN.encode())
    # Behind a proxy that does not tell whom it speaks for, everybody seems to be from here.
    if {b"x-forwarded-for", b"x-forwarded-host", b"forwarded", b"via"} & headers.keys():
        return False
    host = (message.get("client") or [""])[0]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
