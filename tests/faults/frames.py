"""Raw frames to ``/ws/echo/`` and back, by the bench's load client."""

from __future__ import annotations

import threading
from pathlib import Path
from time import monotonic
from typing import Any

from bench import load
from tests.faults.ledger import Ledger
from tests.services import TIMEOUT_SCALE, wait_for

CONNECTIONS = 50
# Seconds after which a frame without an answer counts as lost. Others may share the machine: slow is not lost.
_PATIENCE = 6


class Frames:
    """*rate* frames a second over 50 sockets, from :meth:`start` until :meth:`stop`; 0: as many as are answered.

    :attr:`lines` has all that the client told (``bench/client/flow.c``). What went wrong is in the *ledger* too.
    """

    def __init__(self, ledger: Ledger, port: int, directory: Path, *, rate: float, interval: float = 0.5) -> None:
        self._ledger = ledger
        self._options = {
            "path": "/ws/echo/",
            "connections": CONNECTIONS,
            "rate": rate,
            "interval": interval,
            "patience": _PATIENCE * TIMEOUT_SCALE,
            "settle": _PATIENCE * TIMEOUT_SCALE + 1,
        }
        self._port = port
        self._program = load.build(directory)
        self._client: load.Load | None = None
        self._thread: threading.Thread | None = None
        self._error = ""
        self.lines: list[dict[str, Any]] = []

    def start(self) -> None:
        """Return when all sockets are open and frames begin to leave."""
        # The client gives up by itself after `limit` seconds: two days are more than any soak.
        self._client = load.Load(self._program, "flow", ports=[self._port], options=self._options, limit=172_800)
        next(self._client.ready())
        self._client.start()
        self._thread = threading.Thread(target=self._read, name="frames", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let what is under way be answered, and end. What was lost until then is in the ledger."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            if self._thread is not None and self._thread.is_alive():
                client.stop()
                self._thread.join(30 * TIMEOUT_SCALE)
        finally:
            client.__exit__(None, None, None)
        assert not self._error, self._error

    def well(self, since: float) -> bool:
        """Whether, in the last line and after *since*, all sockets are open and no answer is overdue."""
        line = self.lines[-1] if self.lines else None
        assert not self._error, self._error
        return (
            line is not None
            and line["at"] - 0.5 > since
            and (line["open"], line["overdue"]) == (CONNECTIONS, 0)
            and line["answered"] > 0
        )

    def total(self, name: str, began: float = 0, ended: float = float("inf")) -> int:
        """Return the sum of a count, such as ``lost``, over the lines of that time."""
        return sum(line[name] for line in list(self.lines) if began <= line["at"] <= ended)

    def longest_stall(self, began: float = 0, ended: float = float("inf")) -> float:
        """Return for how many seconds no frame at all was answered, at most."""
        return max((line["stall_ms"] / 1000 for line in list(self.lines) if began <= line["at"] <= ended), default=0)

    def mark(self) -> float:
        """Wait until the client has told what happened up to now; returns that time."""
        now = monotonic()
        wait_for(lambda: self._error or (self.lines and self.lines[-1]["at"] >= now), "the load client tells", 10)
        return self.lines[-1]["at"]

    def _read(self) -> None:
        assert self._client is not None
        try:
            for line in self._client.lines():
                self.lines.append(line)
                for name, kind in _KINDS.items():
                    if line[name]:
                        self._ledger.trouble(kind, "frames", name, count=line[name], at=line["at"])
        except (load.ClientError, ValueError) as error:
            self._error = f"the load client failed: {error}"


# What the client counts, and the kind of trouble that it is.
_KINDS = {
    "lost": "frame lost",
    "cut": "frame cut",
    "closed": "frame closed",
    "refused": "refused",
    "wrong": "wrong frame",
    "strange": "wrong frame",
}
