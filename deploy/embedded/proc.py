"""What /proc knows: who listens on a port, and which processes are a supervisord's children."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from embedded.report import Failure

_PROC = Path("/proc")
_LISTEN = "0A"


def require_free_port(bind: str, port: int, override: str) -> None:
    """Make sure that a server can listen on *bind*:*port*.

    Raises:
        Failure: it cannot; the message names who can, as far as we may know, and *override*, which chooses another.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # As supervisord will: connections that linger from a server before do not count.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((bind, port))
            listener.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Failure(f"port {port} is taken by {holder(port)}; choose another with: {override}") from error
            if error.errno == errno.EACCES:
                raise Failure(f"port {port} is for root only; choose one from 1024 on with: {override}") from error
            raise Failure(f"BIND={bind}: no such IPv4 address on this machine ({error.strerror or error})") from error


def holder(port: int) -> str:
    """Return who listens on *port*, such as ``pid 4711 (nginx)``."""
    inodes = {f"socket:[{inode}]" for inode in _listening(port)}
    for pid in _pids():
        if inodes & set(_open_files(pid)):
            return f"pid {pid} ({name(pid)})"
    return "a process of another user"


def _listening(port: int) -> Iterator[str]:
    for table in ("net/tcp", "net/tcp6"):
        try:
            lines = (_PROC / table).read_text().splitlines()[1:]
        except FileNotFoundError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _pids() -> Iterator[int]:
    if _PROC.is_dir():
        yield from (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal())


def _open_files(pid: int) -> Iterator[str]:
    try:
        descriptors = list((_PROC / str(pid) / "fd").iterdir())
    except OSError:  # another user's, or gone
        return
    for descriptor in descriptors:
        try:
            yield os.readlink(descriptor)
        except OSError:  # closed meanwhile
            continue


def name(pid: int) -> str:
    return _read(pid, "comm").decode(errors="replace").strip() or "?"


def alive(pid: int) -> bool:
    """Whether process *pid* runs; a zombie, which only waits for its parent, does not."""
    status = _read(pid, "stat").rpartition(b")")[2].split()
    return bool(status) and status[0] != b"Z"


def children_of(server_url: str) -> list[int]:
    """Return the processes that the supervisord on *server_url* started, and those that they started in turn.

    It leaves its mark in their environment, so they are found when it has gone itself.
    """
    mark = f"SUPERVISOR_SERVER_URL={server_url}".encode()
    return [pid for pid in _pids() if mark in _read(pid, "environ").split(b"\0") and alive(pid)]


def is_supervisord(pid: int, run_directory: str) -> bool:
    """Whether *pid* is the supervisord that has its socket in *run_directory*."""
    here = f"RUN_DIR={run_directory}".encode()
    return alive(pid) and b"supervisord" in _read(pid, "cmdline") and here in _read(pid, "environ").split(b"\0")


def _read(pid: int, what: str) -> bytes:
    try:
        return (_PROC / str(pid) / what).read_bytes()
    except OSError:  # another user's, or gone
        return b""
