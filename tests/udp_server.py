"""``manage.py runudp`` as a process, and who sends it datagrams."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

from channels_lts.ready import pid_in
from tests.services import ROOT, TIMEOUT_SCALE, Service, free_port

# What a datagram may take, there and back.
_PATIENCE = 30


class Udp(Service):
    """A UDP interface server of the project that *variables* name, until the test ends."""

    def __init__(self, directory: Path, *flags: str, port: int | None = None, **variables: str) -> None:
        self.port = port or free_port()
        self.ready_file = directory / "ready"
        command = [sys.executable, "-m", "django", "runudp", f"--port={self.port}", f"--ready-file={self.ready_file}"]
        super().__init__(directory, [*command, *flags], cwd=ROOT, env={**os.environ, **variables})

    def start(self) -> Udp:
        self.launch()
        self.wait_until(lambda: self.process and pid_in(self.ready_file) == self.process.pid)
        return self

    @property
    def log(self) -> str:
        return self.output.read_text(errors="replace")

    def client(self) -> Client:
        return Client(self.port)

    def terminate(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def exit_status(self) -> int:
        process, self.process = self.process, None
        assert process is not None
        return process.wait(60 * TIMEOUT_SCALE)


class Client:
    """A socket that sends to one address, and hears from no other."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(_PATIENCE * TIMEOUT_SCALE)
        self.socket.connect(("127.0.0.1", port))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()

    @property
    def port(self) -> int:
        return self.socket.getsockname()[1]

    def send(self, *datagrams: bytes) -> None:
        for datagram in datagrams:
            self.socket.send(datagram)

    def receive(self) -> bytes:
        return self.socket.recv(65_535)

    def ask(self, datagram: bytes) -> bytes:
        self.send(datagram)
        return self.receive()
