"""SQLite set up for several processes that write: WAL, and the write lock taken when a transaction begins.

Django 5.1 has options for both; Django 2.2 has not, and this serves both requirement sets alike. The time to wait for
the lock is Django's own ``OPTIONS["timeout"]``, in seconds.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.execute("PRAGMA journal_mode = WAL")
        # In WAL mode NORMAL still survives a crash of the process; only a power cut may lose the newest commits.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _start_transaction_under_autocommit(self) -> None:
        # A deferred transaction that reads and then writes fails at once with "database is locked" when another
        # process wrote in between: no timeout helps. Taking the lock first makes it wait instead.
        self.cursor().execute("BEGIN IMMEDIATE")
