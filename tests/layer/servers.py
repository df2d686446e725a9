"""Redis servers that the tests restart, pause, and stand in between."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import threading
from pathlib import Path
from typing import Any

import redis

from tests import services


class Server(services.Redis):
    """A Redis of one test, to be stopped, started again (empty) and paused."""

    def __init__(self, directory: Path, *options: str) -> None:
        super().__init__(directory)
        self._command = [*self._command, *options]

    @property
    def client(self) -> Any:
        return redis.StrictRedis(port=self.port)

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGCONT)

    def stop(self, number: int = signal.SIGKILL, timeout: float = 30) -> None:
        super().stop(number, timeout)

    def commands(self) -> dict[str, int]:
        """Return how often each command was called, those within scripts too."""
        return {name: count["calls"] for name, count in self.client.info("commandstats").items()}


class Proxy:
    """Forwards TCP to *port*. Frozen, what is open stays open and silent; what is new works."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        self._frozen: set[socket.socket] = set()
        self._peers: dict[socket.socket, socket.socket] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def freeze(self) -> None:
        """Let nothing through any more, in both directions, on the connections that are open now."""
        with self._lock:
            self._frozen.update(self._peers)

    def close(self) -> None:
        self._closed = True
        self._thread.join()

    def _run(self) -> None:
        while not self._closed:
            with self._lock:
                watched = [self._listener, *(end for end in self._peers if end not in self._frozen)]
            for ready in select.select(watched, [], [], 0.02)[0]:
                if ready is self._listener:
                    self._accept()
                else:
                    self._forward(ready)
        for end in [self._listener, *self._peers]:
            end.close()

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        self.accepted += 1
        try:
            far = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            near.close()
            return
        with self._lock:
            self._peers.update({near: far, far: near})

    def _forward(self, end: socket.socket) -> None:
        with self._lock:
            if end in self._frozen:
                return
            other = self._peers[end]
            data = b""
            with contextlib.suppress(OSError):
                data = end.recv(65536)
            if data:
                other.sendall(data)
                return
            for closed in (end, other):
                closed.close()
                self._peers.pop(closed, None)


class OldRedis:
    """Answers PING and INFO as Redis 5 does, and nothing else."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            self.accepted += 1
            threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        info = b"# Server\r\nredis_version:5.0.14\r\n"
        with contextlib.suppress(OSError):
            while data := connection.recv(65536):
                if b"INFO" in data:
                    connection.sendall(b"$%d\r\n%s\r\n" % (len(info), info))
                elif b"PING" in data:
                    connection.sendall(b"+PONG\r\n")
