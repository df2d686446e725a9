"""Readers over HTTP: a prober with one connection that is kept, and a long-poller, each a thread."""

from __future__ import annotations

import http.client
import json
import threading
from time import monotonic
from typing import Any

from tests.faults.ledger import Ledger
from tests.services import TIMEOUT_SCALE

# Seconds after which a request counts as unanswered.
_PATIENCE = 10.0
# Seconds before the next try after a failure.
_PAUSE = 0.2


class _Reader(threading.Thread):
    """Asks one thing after the other on one connection, and notes each failure and each answer's time."""

    def __init__(self, ledger: Ledger, name: str, port: int, cookie: str) -> None:
        super().__init__(name=name, daemon=True)
        self._ledger, self._port = ledger, port
        self._headers = {"Cookie": cookie}
        self._ending = threading.Event()
        self._connection: http.client.HTTPConnection | None = None
        self._asked_at = float("inf")
        self._answered_at = 0.0

    def well(self, since: float) -> bool:
        """Whether a request that began after *since* was answered, and none has waited for a second."""
        return self._answered_at > since and monotonic() - self._asked_at < 1 * TIMEOUT_SCALE

    def stop(self) -> None:
        self._ending.set()

    def ask(self, path: str) -> bytes | None:
        """Return the answer to ``GET path``; None where there was none, or a status that is no success.

        A kept connection that closed before the first byte of an answer came is opened anew once, as browsers do.
        """
        self._asked_at = began = monotonic()
        try:
            status, body = self._get(path)
        except (OSError, http.client.HTTPException) as error:
            self._close()
            status, body = 0, f"{type(error).__name__}: {error}".encode()
        if status == 200:
            self._ledger.requests.append((began, monotonic() - began))
            self._answered_at = began
        else:
            self._ledger.trouble("http", self.name, f"{path}: {status} {body[:200]!r}, {monotonic() - began:.1f} s")
        self._asked_at = float("inf")
        return body if status == 200 else None

    def _get(self, path: str) -> tuple[int, bytes]:
        kept, self._connection = self._connection, self._connection or self._open()
        try:
            self._connection.request("GET", path, headers=self._headers)
            answer = self._connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self._close()
            if kept is None:
                raise
            self._connection = self._open()
            self._connection.request("GET", path, headers=self._headers)
            answer = self._connection.getresponse()
        body = answer.read()
        if answer.will_close:
            self._close()
        return answer.status, body

    def _open(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE * TIMEOUT_SCALE)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Prober(_Reader):
    """Asks for pages and messages, *rate* times a second."""

    _PATHS = ("/rooms/lobby/messages/?limit=5", "/rooms/lobby/", "/rooms/lobby/members/", "/static/chat/js/main.js")

    def __init__(self, ledger: Ledger, name: str, port: int, cookie: str, *, rate: float) -> None:
        super().__init__(ledger, name, port, cookie)
        self._every = 1 / rate

    def run(self) -> None:
        due, count = monotonic(), 0
        while not self._ending.wait(max(0.0, due - monotonic())):
            # No flood after a standstill.
            due = max(due + self._every, monotonic())
            self.ask(self._PATHS[count % len(self._PATHS)])
            count += 1


class Poller(_Reader):
    """Always has one long-poll under way, so that whatever ends an interface server meets a request that waits."""

    def __init__(self, ledger: Ledger, name: str, port: int, cookie: str) -> None:
        super().__init__(ledger, name, port, cookie)
        self.last = 0
        self._got: list[int] = []

    def run(self) -> None:
        first = self._answer("/rooms/lobby/messages/?limit=1")
        self.last = first["messages"][-1]["seq"] if first["messages"] else 0
        self._ledger.received[self.name] = (self.last, self._got)
        while not self._ending.is_set():
            for message in self._answer(f"/poll/lobby/?since={self.last}")["messages"]:
                self.last = message["seq"]
                self._got.append(self.last)

    def _answer(self, path: str) -> dict[str, Any]:
        while not self._ending.is_set():
            body = self.ask(path)
            if body is not None:
                return json.loads(body)
            self._ending.wait(_PAUSE)
        return {"messages": []}
