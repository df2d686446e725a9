"""The delay server: takes messages off ``asgi.delay``, keeps them in the database, and sends each when it is due.

What it promises is in docs/delay.md. The table is that of ``channels.delay``, so its own server may take over.
"""

from __future__ import annotations

import logging
import signal
import time
from collections import Counter
from typing import Any

from django.db import Error, close_old_connections, connections

from channels_lts.delay_inbox import CHANNEL, BadMessage, Inbox, LayerInbox, Pause, Trouble, read
from channels_lts.delay_table import Table
from channels_lts.layer.redis import Layer
from channels_lts.ready import ReadyFile

logger = logging.getLogger(__name__)

# Seconds between two attempts: to reach a database that is away; to send to a channel that is full, or when Redis is
# away.
_RETRY = 1.0
# Seconds after which a batch ends, whatever is left of it: a Redis that does not answer costs REDIS_TIMEOUT each time.
_LONGEST_BATCH = 1.0
# Seconds between two looks at the table at least: what is due may be in the hands of another server.
_SHORTEST_WAIT = 0.01


class DelayServer:
    """Several may run, in any number of processes; one of them is for one thread.

    Args:
        sleep: Seconds that a due message waits at most, where another server stored it.
        ready_file: Written when the database was there for the first time, removed when this ends.
    """

    def __init__(
        self,
        channel_layer: Any,
        *,
        sleep: float = 1.0,
        signal_handlers: bool = True,
        ready_file: ReadyFile | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._layer = channel_layer
        self._sleep = sleep
        self._signal_handlers = signal_handlers
        self._ready_file = ready_file
        self._table = Table()
        self._stopping = False
        self._ready = False
        self._inbox: Inbox | None = None
        self._pause = Pause()
        # What was taken and is not in the database yet.
        self._unsaved: list[Any] = []
        # When to look for due messages (monotonic clock).
        self._look_at = 0.0
        self._database = Trouble("the database is away, and messages wait")
        self._sending = Trouble("cannot send what is due, and will try again")

    def stop(self) -> None:
        """End after the message at hand. From any thread, or a signal handler."""
        self._stopping = True
        self._pause.wake()
        if self._inbox is not None:
            self._inbox.wake()

    def run(self) -> None:
        """Keep and send messages until :meth:`stop`, SIGTERM or SIGINT."""
        if self._signal_handlers:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._on_signal)
        layer = getattr(self._layer, "channel_layer", self._layer)
        self._inbox = LayerInbox(layer) if isinstance(layer, Layer) else Inbox(self._layer, self._pause)
        logger.info("listening on %s", CHANNEL)
        try:
            while not self._stopping:
                if self._use_database():
                    self._take(self._inbox.wait(max(self._look_at - time.monotonic(), 0)))
                else:
                    # Nothing is taken meanwhile: in Redis it outlives us.
                    self._pause.wait(_RETRY)
        finally:
            self._finish(self._inbox)

    def _on_signal(self, number: int, frame: Any) -> None:
        logger.info("ending after what was begun")
        self.stop()

    def _use_database(self) -> bool:
        """Store what was taken, and send what is due; returns False where the database is away."""
        close_old_connections()
        try:
            self._store()
            if time.monotonic() >= self._look_at:
                self._send_due()
        except Error as error:
            self._database.began(error)
            # Django does not notice by itself that a connection is of no use after some of its errors.
            connections[self._table.database].close()
            return False
        self._database.ended()
        if self._ready_file is not None and not self._ready:
            self._ready = True
            self._ready_file.write()
        return True

    def _take(self, contents: list[dict[str, Any]]) -> None:
        for content in contents:
            try:
                self._unsaved.append(self._table.row(*read(content, self._layer)))
            except BadMessage as error:
                self._skip(f"a message on {CHANNEL}", error)

    def _store(self) -> None:
        if not self._unsaved:
            return
        refused = self._table.store(self._unsaved)
        for row, error in refused:
            self._skip(f"a message on {CHANNEL} for {row.channel_name}", error)
        self.counts["stored"] += len(self._unsaved) - len(refused)
        soonest = min(self._table.seconds_until(row.due_date) for row in self._unsaved)
        self._unsaved = []
        self._look_at = min(self._look_at, time.monotonic() + soonest)

    def _send_due(self) -> None:
        full = self._table.send_due(self._send_batch, retry=_RETRY)
        wait = 0.0
        if not full:
            soonest = self._table.soonest()
            wait = self._sleep if soonest is None else min(max(soonest, _SHORTEST_WAIT), self._sleep)
        self._look_at = time.monotonic() + wait

    def _send_batch(self, rows: list[Any]) -> tuple[list[Any], list[Any]]:
        """Send *rows*; returns those that are done with, and those to try again later. The others were not tried."""
        done: list[Any] = []
        later: list[Any] = []
        began = time.monotonic()
        for row in rows:
            if self._stopping or time.monotonic() - began > _LONGEST_BATCH:
                break
            (done if self._send(row) else later).append(row)
        return done, later

    def _send(self, row: Any) -> bool:
        """Send one; returns False where that may work later."""
        try:
            self._layer.send(row.channel_name, self._table.content(row))
        except self._layer.ChannelFull:
            self.counts["full"] += 1
            return False
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            # What no attempt will mend: no JSON, no dict, no name of a channel.
            self._skip(f"delayed message {row.pk} for {row.channel_name}", error)
            return True
        except Exception as error:
            # Redis away, in the words of this layer or another.
            self._sending.began(error)
            return False
        self._sending.ended()
        self.counts["sent"] += 1
        return True

    def _skip(self, what: str, error: object) -> None:
        self.counts["bad"] += 1
        logger.error("skipped %s: %s", what, error)

    def _finish(self, inbox: Inbox) -> None:
        """Store what was taken last, or put it back."""
        if self._ready_file is not None:
            self._ready_file.remove()
        inbox.close()
        try:
            self._store()
        except Error as error:
            logger.warning("%s message(s) go back to %s: %s", len(self._unsaved), CHANNEL, error)
            for row in self._unsaved:
                try:
                    self._layer.send(CHANNEL, self._table.message(row))
                except Exception:
                    logger.exception("lost a message for %s, which was to be delayed", row.channel_name)
        connections[self._table.database].close()
        logger.info("ended: %s", ", ".join(f"{count} {what}" for what, count in self.counts.items()) or "nothing done")
