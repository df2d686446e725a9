"""The access log, in Daphne's format: NCSA style, with WSCONNECT and the like for sockets."""

from __future__ import annotations

import time
from typing import Any, TextIO

from daphne.access import AccessLogGenerator


class AccessLog(AccessLogGenerator):
    """Writes one line for each action to *stream*, and flushes it: a line that waits in a buffer is lost on a kill."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._second = 0
        self._stamp = ""

    def __call__(self, protocol: str, action: str, details: dict[str, Any]) -> None:
        if protocol == "http" and action == "complete":
            request = f"{details['method']} {details['path']}"
            self._write(details["client"], request, details["status"], details["size"])
        elif protocol == "websocket" and action in _SOCKET_ACTIONS:
            self._write(details["client"], f"{_SOCKET_ACTIONS[action]} {details['path']}")

    def _write(self, host: str | None, request: str, status: int | None = None, length: int | None = None) -> None:
        now = int(time.time())
        if now != self._second:
            self._second, self._stamp = now, time.strftime("%d/%b/%Y:%H:%M:%S", time.localtime(now))
        self.stream.write(f'{host or "-"} - - [{self._stamp}] "{request}" {status or "-"} {length or "-"}\n')
        self.stream.flush()


_SOCKET_ACTIONS = {
    "connecting": "WSCONNECTING",
    "rejected": "WSREJECT",
    "connected": "WSCONNECT",
    "disconnected": "WSDISCONNECT",
}
