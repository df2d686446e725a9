"""A running interface server, the worker behind it, which the test plays, and a client that sends what it likes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.services import ROOT, TIMEOUT_SCALE, Service, free_port, listening, wait_for

OURS = "channels_lts.layer.RedisChannelLayer"
STOCK = "asgi_redis.RedisChannelLayer"


class Interface(Service):
    """``python -m channels_lts.interface`` with *flags*; the test is the worker, through :attr:`layer`."""

    def __init__(
        self,
        directory: Path,
        *flags: str,
        redis_url: str,
        prefix: str,
        backend: str = OURS,
        capacity: int = 1000,
        settings: dict[str, Any] | None = None,
        consumers: tuple[str, ...] = ("http.request", "websocket.connect", "websocket.receive", "websocket.disconnect"),
        logging: dict[str, Any] | None = None,
        streams: bool = False,
        listen: tuple[str, ...] | None = None,
        unix_socket: Path | None = None,
        **options: Any,
    ) -> None:
        self.port = free_port()
        config = {"hosts": [redis_url], "prefix": prefix, "capacity": capacity}
        given = {
            "backend": backend, "config": config, "settings": settings or {}, "consumers": consumers,
            "logging": logging or {}, "streams": streams,
        }  # fmt: skip
        self.environment = {**os.environ, "INTERFACE_TEST": json.dumps(given), "PYTHONUNBUFFERED": "1"}
        self.environment.pop("DJANGO_SETTINGS_MODULE", None)
        self.unix_socket = unix_socket
        where = ("-p", str(self.port)) if listen is None else listen
        command = [
            sys.executable,
            "-m",
            "channels_lts.interface",
            *where,
            *flags,
            "tests.interface.project:channel_layer",
        ]
        super().__init__(directory, command, cwd=ROOT, env=self.environment, **options)
        self.layer = _layer(backend, config)

    def start(self) -> Interface:
        self.launch()
        self.wait_until(lambda: self.unix_socket.exists() if self.unix_socket else listening(self.port))
        return self

    @property
    def log(self) -> str:
        return self.output.read_text(errors="replace")

    def signal(self, number: int = signal.SIGTERM) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def exit_status(self, timeout: float = 20) -> int:
        """Wait for the process to end."""
        assert self.process is not None
        status = self.process.wait(timeout * TIMEOUT_SCALE)
        self.process = None
        return status

    # --- The worker ---

    def take(self, *channels: str, timeout: float = 10) -> dict[str, Any]:
        """Return the next message of *channels*."""
        return wait_for(
            lambda: self.layer.receive(list(channels), block=False)[1], f"{channels} has a message", timeout
        )

    def nothing_on(self, *channels: str) -> bool:
        return self.layer.receive(list(channels), block=False)[0] is None

    def reply(self, message: dict[str, Any], **keys: Any) -> None:
        self.layer.send(message["reply_channel"], keys)

    def answer(self, message: dict[str, Any], content: bytes = b"ok", status: int = 200, **keys: Any) -> None:
        self.reply(message, status=status, headers=[(b"Content-Type", b"text/plain")], content=content, **keys)

    # --- Clients ---

    def connect(self) -> Client:
        if self.unix_socket:
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(str(self.unix_socket))
        else:
            sock = socket.create_connection(("127.0.0.1", self.port))
        return Client(sock)

    def ask(self, data: bytes) -> Response:
        """Send *data* over a connection of its own; return the response."""
        with self.connect() as client:
            client.send(data)
            return client.response()

    def get(self, target: str = "/", headers: bytes = b"", content: bytes = b"ok") -> tuple[dict[str, Any], Response]:
        """Return the message that a GET makes, and the response to it."""
        with self.connect() as client:
            client.send(request(target, headers))
            message = self.take("http.request")
            self.answer(message, content)
            return message, client.response()


def request(target: str = "/", headers: bytes = b"", body: bytes = b"", method: str = "GET") -> bytes:
    """Return a request; *headers* are whole lines."""
    return f"{method} {target} HTTP/1.1\r\nHost: testserver\r\n".encode("latin-1") + headers + b"\r\n" + body


def upgrade(target: str = "/ws", headers: bytes = b"") -> bytes:
    """Return a WebSocket handshake."""
    lines = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    return request(target, lines + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + headers)


def _layer(backend: str, config: dict[str, Any]) -> Any:
    module, _, name = backend.rpartition(".")
    return getattr(__import__(module, fromlist=[name]), name)(**config)


class Response:
    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes, chunks: list[bytes] | None) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        # The chunks as they came, where it was chunked.
        self.chunks = chunks

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Client:
    """A connection that sends bytes as they are told, and reads responses strictly."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sock.settimeout(10 * TIMEOUT_SCALE)
        self.buffer = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def _fill(self) -> bool:
        data = self.sock.recv(65_536)
        self.buffer += data
        return bool(data)

    def until(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            if not self._fill():
                raise EOFError(f"closed after {self.buffer!r}")
        found, _, self.buffer = self.buffer.partition(mark)
        return found

    def exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            if not self._fill():
                raise EOFError(f"closed after {self.buffer!r}")
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found

    def rest(self) -> bytes:
        """Return all that comes until the server closes. Raises ConnectionResetError where it cuts the connection."""
        while self._fill():
            pass
        found, self.buffer = self.buffer, b""
        return found

    def head(self) -> Response:
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines[1:])]
        return Response(int(lines[0].split()[1]), headers, b"", None)

    def chunk(self) -> bytes:
        size = int(self.until(b"\r\n"), 16)
        data = self.exactly(size)
        assert self.exactly(2) == b"\r\n"
        return data

    def response(self, *, bodiless: bool = False) -> Response:
        head = self.head()
        if bodiless:
            return head
        if head.header("Transfer-Encoding") == "chunked":
            head.chunks = list(iter(self.chunk, b""))
            head.body = b"".join(head.chunks)
        elif head.header("Content-Length") is not None:
            head.body = self.exactly(int(head.header("Content-Length") or 0))
        else:
            head.body = self.rest()
        return head

    def closed(self, timeout: float = 10) -> bool:
        """Whether the server closes or cuts the connection, and sends nothing more before."""
        self.sock.settimeout(timeout * TIMEOUT_SCALE)
        try:
            return self.sock.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False


def run(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    return subprocess.run(
        [sys.executable, "-m", "channels_lts.interface", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=30 * TIMEOUT_SCALE,
    )  # fmt: skip


@contextlib.contextmanager
def elapsed(at_least: float, at_most: float) -> Any:
    """Fail unless what stands in it takes that many seconds."""
    begun = time.monotonic()
    yield
    took = time.monotonic() - begun
    assert at_least <= took <= at_most * TIMEOUT_SCALE, f"took {took:.2f} s"
