"""The databases that the chat runs on: a PostgreSQL as it comes from initdb, and a SQLite file."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import deployment, processes
from bench.environment import Absent

_PATTERN = "usr/lib/postgresql/*/bin/initdb"


def sqlite(directory: Path) -> contextlib.AbstractContextManager[str]:
    """The URL of a new SQLite file, which the project sets up by itself: WAL, ``synchronous = NORMAL``."""
    return contextlib.nullcontext(f"sqlite:///{directory / 'chat.sqlite3'}")


@contextlib.contextmanager
def postgresql(directory: Path) -> Iterator[str]:
    """The URL of a new PostgreSQL with its defaults: ``fsync`` and ``synchronous_commit`` are on.

    Raises:
        Absent: it is not installed.
    """
    port, options = deployment.free_port(), _another_user()
    # Where its user may go, which the checkout need not be.
    with tempfile.TemporaryDirectory(prefix="bench-postgresql-") as place:
        if options:
            shutil.chown(place, options["user"])
        data = Path(place) / "data"
        _run([program("initdb"), "-D", data, "-U", "chat", "-A", "trust", "-E", "UTF8", "--no-locale"], options)
        command: list[str | Path] = [program("postgres"), "-D", data, "-c", f"port={port}"]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={place}"]
        with (directory / "postgresql.log").open("wb") as log:
            server = processes.start(command, output=log, cwd="/", **options)
        try:
            _wait(server, port)
            yield f"postgres://chat@127.0.0.1:{port}/postgres"
        finally:
            # SIGINT: it does not wait for its clients.
            server.send_signal(2)
            processes.stop(server, patience=30)


def program(name: str) -> Path:
    """Return a program of the newest PostgreSQL on this machine.

    Raises:
        Absent: there is none.
    """
    found = sorted(Path("/").glob(_PATTERN)) or [Path(path) for path in [shutil.which("initdb")] if path]
    if not found or not found[-1].with_name(name).exists():
        raise Absent(f"{name} of PostgreSQL is not installed")
    return found[-1].with_name(name)


def _another_user() -> dict[str, object]:
    """PostgreSQL refuses to be root."""
    if os.getuid():
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}
    raise Absent("there is no user for PostgreSQL")


def _run(command: list[str | Path], options: dict[str, object]) -> None:
    done = subprocess.run(  # noqa: S603  (our own command line)
        command, cwd="/", check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options
    )  # type: ignore[call-overload]
    if done.returncode:
        raise Absent(f"{Path(command[0]).name}: {done.stdout[-300:]}")


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + deployment.START_SECONDS
    while subprocess.run([program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)], check=False).returncode:  # noqa: S603
        if server.poll() is not None or time.monotonic() > deadline:
            raise Absent("PostgreSQL did not start; see var/bench")
        time.sleep(0.1)
