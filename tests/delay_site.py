"""Delay servers on a database and a Redis of their own choice: the project that they run, and who watches them.

``python -m django rundelay --settings=tests.delay_site`` takes DATABASE_URL, REDIS_URL, PREFIX and BACKEND.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dj_database_url

from channels_lts import compat
from tests.services import ROOT, TIMEOUT_SCALE, Service, wait_for

compat.install()

SECRET_KEY = "tests"
USE_TZ = True
INSTALLED_APPS = ["channels_lts", "channels", "channels.delay"]
DATABASES = {"default": dj_database_url.parse(os.environ.get("DATABASE_URL", "sqlite://:memory:"), conn_max_age=60)}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": os.environ.get("BACKEND", "channels_lts.layer.RedisChannelLayer"),
        "CONFIG": {
            "hosts": [os.environ.get("REDIS_URL", "")],
            "prefix": os.environ.get("PREFIX", "delay:"),
            "capacity": 10_000,
            "channel_capacity": {"narrow": 1},
        },
        "ROUTING": "tests.delay_site.routing",
    }
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"ours": {"format": "OURS %(levelname)s %(name)s %(message)s"}},
    "handlers": {"ours": {"class": "logging.StreamHandler", "formatter": "ours"}},
    "root": {"handlers": ["ours"], "level": "INFO"},
}
routing: list[Any] = []

_INSERT = "INSERT INTO {table} (due_date, channel_name, content) VALUES ({mark}, {mark}, {mark})"


class DelaySite:
    """A database, a prefix in a Redis, and the delay servers that :meth:`serve` starts."""

    def __init__(self, directory: Path, database_url: str, redis_url: str, **variables: str) -> None:
        self.directory = directory
        self.database_url = database_url
        prefix = f"{directory.name}:"
        own = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "PREFIX": prefix, **variables}
        self.environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.delay_site", **own}
        self.layer = layer(redis_url, prefix, variables.get("BACKEND", ""))
        self.servers: list[Service] = []
        command = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True)

    def serve(self, *options: str, count: int = 1) -> list[Service]:
        """Start delay servers, and return when they are ready."""
        started = []
        for _ in range(count):
            number = len(self.servers)
            directory = self.directory / f"server-{number}"
            directory.mkdir()
            ready = directory / "ready"
            command = [sys.executable, "-m", "django", "rundelay", f"--ready-file={ready}", *options]
            service = Service(directory, command, cwd=ROOT, env=self.environment)
            service.launch()
            self.servers.append(service)
            started.append(service)
        for service in started:
            service.wait_until((service.directory / "ready").exists)
        return started

    def stop(self) -> None:
        for service in self.servers:
            service.stop()

    def log(self) -> str:
        return "".join(service.output.read_text() for service in self.servers)

    def delay(self, milliseconds: Any, channel: Any = "late", **content: Any) -> None:
        """Send what a project would send."""
        self.layer.send("asgi.delay", {"channel": channel, "content": content, "delay": milliseconds})

    def received(self, channel: str = "late", *, timeout: float = 10) -> dict[str, Any]:
        """Return the next message on *channel*."""

        def receive() -> Any:
            return self.layer.receive([channel])[1]

        return wait_for(receive, f"a message on {channel}; {self.log()}", timeout)

    def all_received(self, count: int, channel: str = "late") -> list[dict[str, Any]]:
        """Return *count* messages, and whatever else comes within a moment after them."""
        messages = [self.received(channel, timeout=30) for _ in range(count)]
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            more = self.layer.receive([channel])[1]
            messages += [more] if more else []
        return messages

    def insert(self, rows: list[tuple[str, str]], *, after: float = 0) -> None:
        """Store (channel, JSON) in the table, due *after* seconds."""
        due = datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=after)
        self.execute(_INSERT, [(str(due), *row) for row in rows])

    def count(self) -> int:
        return self._connected(
            lambda cursor, table, mark: cursor.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        )

    def execute(self, statement: str, rows: list[tuple[str, ...]]) -> None:
        self._connected(lambda cursor, table, mark: cursor.executemany(statement.format(table=table, mark=mark), rows))

    def _connected(self, use: Callable[[Any, str, str], Any]) -> Any:
        if self.database_url.startswith("sqlite"):
            with closing(sqlite3.connect(self.database_url[len("sqlite:///") :], timeout=20)) as connection, connection:
                return use(connection.cursor(), "channels_delay_delayedmessage", "?")
        import psycopg

        with psycopg.connect(self.database_url, options="-c timezone=UTC") as connection:
            return use(connection.cursor(), "channels_delay_delayedmessage", "%s")


def layer(redis_url: str, prefix: str, backend: str) -> Any:
    from django.utils.module_loading import import_string

    made = import_string(backend or "channels_lts.layer.RedisChannelLayer")
    return made(hosts=[redis_url], prefix=prefix, capacity=10_000, channel_capacity={"narrow": 1})


def wait_exit(service: Service, timeout: float) -> int:
    """Return the exit code of *service* when it has ended by itself."""
    process, service.process = service.process, None
    assert process is not None
    return process.wait(timeout * TIMEOUT_SCALE)
