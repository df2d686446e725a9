"""A worker thread's database connections: alive before a consumer runs, and with nothing left open after it."""

from __future__ import annotations

import contextlib
import select
from typing import Any

from django.db import connections

# Seconds after which the database itself is asked whether a connection still works: once, not for each message.
_ASK_EVERY = 1.0


class Connections:
    """Those of one thread, which alone may use this."""

    def __init__(self) -> None:
        self._all: list[Any] = []
        self._asked = float("-inf")

    def make_healthy(self, now: float) -> None:
        """Close the connections whose database went away, so that the consumer gets new ones. *now*: monotonic.

        Costs no query, but one a second for each open connection: whether the other end has closed is seen on the
        socket, where the database driver shows it.
        """
        ask = now - self._asked > _ASK_EVERY
        if ask:
            self._asked = now
            self._all = list(connections.all())
        for connection in self._all:
            if connection.connection is not None and (ask or _has_news(connection)) and not _is_usable(connection):
                _close(connection)

    def settle(self) -> list[str]:
        """Roll back what the consumer left open: a transaction, or autocommit off. Returns the databases' names."""
        names = []
        for connection in self._all:
            if not connection.in_atomic_block and (
                connection.connection is None or connection.autocommit == connection.settings_dict["AUTOCOMMIT"]
            ):
                continue
            names.append(connection.alias)
            # Whoever opened the blocks has gone, and would have to close them before Django lets the connection go.
            connection.in_atomic_block = connection.closed_in_transaction = False
            with contextlib.suppress(Exception):
                connection.rollback()
            _close(connection)
        return names


def _has_news(connection: Any) -> bool:
    """Whether something can be read, though nothing was asked: its end, most likely."""
    try:
        number = connection.connection.fileno()
    except AttributeError:
        # A file (SQLite), or a driver that does not show its socket.
        return False
    except Exception:
        return True
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))


def _is_usable(connection: Any) -> bool:
    try:
        return connection.is_usable()
    except Exception:
        return False


def _close(connection: Any) -> None:
    # What cannot even be closed is let go all the same.
    with contextlib.suppress(Exception):
        connection.close()
