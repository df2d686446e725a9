"""The table of delayed messages, which several delay servers may work on at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from channels.delay.models import DelayedMessage
from django.db import DataError, IntegrityError, connections, router, transaction
from django.utils import timezone

# Messages that are claimed and sent at once.
_BATCH = 100
# Where there are no row locks, for how long a claim holds. If its owner dies, others send the messages after that.
_CLAIM = timedelta(seconds=30)

# Sends rows; returns those that are done with, and those to try again later.
Sender = Callable[[list[Any]], tuple[list[Any], list[Any]]]


class Table:
    """Raises ``django.db.Error`` from every method where the database is away."""

    def __init__(self) -> None:
        self.database = router.db_for_write(DelayedMessage)
        # Rows that were sent, while the database went away before it could forget them.
        self._to_forget: list[int] = []

    @property
    def _rows(self) -> Any:
        return DelayedMessage.objects.using(self.database)

    @staticmethod
    def row(channel: str, content: str, delay: timedelta) -> Any:
        """Return a row that is not stored yet."""
        return DelayedMessage(channel_name=channel, content=content, due_date=timezone.now() + delay)

    @staticmethod
    def content(row: Any) -> dict[str, Any]:
        """Return what to send.

        Raises:
            ValueError: the row holds no JSON.
            TypeError: it is not that of a dict.
        """
        content = json.loads(row.content)
        if not isinstance(content, dict):
            raise TypeError(f"its content is {type(content).__name__} instead of a dict")
        return content

    def message(self, row: Any) -> dict[str, Any]:
        """Return what may be sent to ``asgi.delay`` in place of storing *row*."""
        delay = max(self.seconds_until(row.due_date), 0) * 1000
        return {"channel": row.channel_name, "content": self.content(row), "delay": delay}

    @staticmethod
    def seconds_until(due: datetime) -> float:
        return (due - timezone.now()).total_seconds()

    def store(self, rows: list[Any]) -> list[tuple[Any, Exception]]:
        """Store *rows*; returns those that the database refuses, and why."""
        try:
            self._rows.bulk_create(rows)
        except (DataError, IntegrityError):
            with transaction.atomic(using=self.database):
                return [(row, error) for row in rows if (error := self._store_one(row))]
        return []

    def _store_one(self, row: Any) -> Exception | None:
        try:
            with transaction.atomic(using=self.database):
                row.save(using=self.database, force_insert=True)
        except (DataError, IntegrityError) as error:
            return error
        return None

    def soonest(self) -> float | None:
        """Return the seconds until the next message is due, or None where there is none."""
        due = self._rows.order_by("due_date").values_list("due_date", flat=True).first()
        return None if due is None else self.seconds_until(due)

    def send_due(self, send: Sender, *, retry: float) -> bool:
        """Let *send* have messages that are due, and that no other server has. Returns whether there may be more.

        What it could not send is due again after *retry* seconds. A message is forgotten after it was sent: a process
        that dies in between leaves it to be sent once more.
        """
        self._forget([])
        if connections[self.database].features.has_select_for_update_skip_locked:
            with transaction.atomic(using=self.database):
                batch = list(self._due().select_for_update(skip_locked=True)[:_BATCH])
                self._send(batch, send, retry)
        else:
            batch = self._claim(list(self._due()[:_BATCH]))
            tried = self._send(batch, send, retry)
            left = [row.pk for row in batch if row not in tried]
            if left:
                self._rows.filter(pk__in=left).update(due_date=timezone.now())
        self._to_forget = []
        return len(batch) == _BATCH

    def _due(self) -> Any:
        return self._rows.filter(due_date__lte=timezone.now()).order_by("due_date", "pk")

    def _claim(self, batch: list[Any]) -> list[Any]:
        """Return those of *batch* that are ours now: nobody else finds them due for a while."""
        until = timezone.now() + _CLAIM
        with transaction.atomic(using=self.database):
            return [row for row in batch if self._rows.filter(pk=row.pk, due_date=row.due_date).update(due_date=until)]

    def _send(self, batch: list[Any], send: Sender, retry: float) -> list[Any]:
        done, later = send(batch) if batch else ([], [])
        self._forget([row.pk for row in done])
        if later:
            again = timezone.now() + timedelta(seconds=retry)
            self._rows.filter(pk__in=[row.pk for row in later]).update(due_date=again)
        return done + later

    def _forget(self, sent: list[int]) -> None:
        self._to_forget += sent
        if self._to_forget:
            self._rows.filter(pk__in=self._to_forget).delete()
