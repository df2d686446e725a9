"""``GET /healthz``: whether database, channel layer and workers do their part, in bounded time and without secrets."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from channels_lts import heartbeat
from channels_lts.exceptions import StreamError
from chat.responses import answers_errors, json_response

logger = logging.getLogger(__name__)

#: Seconds that all checks together may take.
TIME_LIMIT = 3.0

Check = Callable[[Any], dict[str, Any]]


class Down(Exception):
    """Raised by a check; the message is for everybody to read."""


@answers_errors
def healthz(message: Any) -> None:
    """Answer 200 where everything works and 503 where something does not, with the reason of each."""
    if message["method"] not in ("GET", "HEAD"):
        raise StreamError("bad_method", _("Only GET is possible here."))
    report = examine(message.channel_layer)
    message.reply_channel.send(json_response(report, 200 if report["status"] == "ok" else 503))


def examine(channel_layer: Any) -> dict[str, Any]:
    """Return the state of each part, and ``status``: ``down`` if any is. Takes ``TIME_LIMIT`` seconds at most."""
    running = [_Examination(name, check, channel_layer) for name, check in CHECKS.items()]
    deadline = time.monotonic() + TIME_LIMIT
    parts = {examination.part: examination.wait(deadline - time.monotonic()) for examination in running}
    down = any(part["status"] == "down" for part in parts.values())
    return {"status": "down" if down else "ok", **parts}


def check_database(channel_layer: Any) -> dict[str, Any]:
    """A trivial query, on a connection of this thread's own."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    finally:
        connection.close()
    return {"status": "ok", "vendor": connection.vendor}


def check_layer(channel_layer: Any) -> dict[str, Any]:
    """A message to a channel of our own, and back."""
    channel = channel_layer.new_channel("healthz.answer?")
    token = uuid.uuid4().hex
    channel_layer.send(channel, {"token": token})
    _channel, answer = channel_layer.receive([channel], block=False)
    if not answer or answer.get("token") != token:
        raise Down("a message did not come back")
    return {"status": "ok"}


def check_workers(channel_layer: Any) -> dict[str, Any]:
    """Every channel that has a route has a worker that listens on it."""
    workers = heartbeat.workers(channel_layer)
    if workers is None:
        return {"status": "unknown"}
    unserved = heartbeat.unserved(workers, channel_layer.router.channels)
    if unserved:
        raise Down(f"no worker listens on {', '.join(unserved)}")
    return {"status": "ok", "count": len(workers)}


CHECKS: dict[str, Check] = {"database": check_database, "layer": check_layer, "workers": check_workers}


class _Examination:
    """A check in a thread of its own, since neither databases nor Redis promise to fail in time."""

    _stuck: dict[str, threading.Thread] = {}

    def __init__(self, part: str, check: Check, channel_layer: Any) -> None:
        self.part = part
        self._result: dict[str, Any] | None = None
        stuck = self._stuck.get(part)
        # One thread that hangs is enough to know; a new one each time would be one more each time.
        self._thread = stuck if stuck and stuck.is_alive() else None
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(check, channel_layer), daemon=True)
            self._thread.start()

    def wait(self, timeout: float) -> dict[str, Any]:
        assert self._thread is not None  # noqa: S101
        self._thread.join(max(0, timeout))
        if self._result is None:
            self._stuck[self.part] = self._thread
            logger.warning("%s did not answer within %s s", self.part, TIME_LIMIT)
            return {"status": "down", "reason": f"no answer within {TIME_LIMIT:g} s"}
        return self._result

    def _run(self, check: Check, channel_layer: Any) -> None:
        try:
            self._result = check(channel_layer)
        except Down as error:
            self._result = {"status": "down", "reason": str(error)}
        except Exception as error:
            # What an error says may name hosts and users: that is for the log.
            logger.warning("%s is down", self.part, exc_info=True)
            self._result = {"status": "down", "reason": type(error).__name__}
