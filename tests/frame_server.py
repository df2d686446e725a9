"""A little WebSocket and HTTP server that keeps count and misbehaves as told, to test the bench's load client on."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import threading
import time
from collections import Counter

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class FrameServer:
    """Speaks as the bench's peers do on /echo, /member, /publish and /burst; anything else gets an HTTP answer.

    *skip*: every so manieth delivery to a group is left out. *repeat*: each is sent twice. *delay*: seconds before an
    answer. *bytewise*: one byte a packet. *refuse*: handshakes get a 403. *ping*: a ping before each echo.
    *hello*: speaks Socket.IO's packets. *http*: the whole HTTP answer; *close* ends the connection after it.
    """

    def __init__(
        self, *, skip: int = 0, repeat: bool = False, delay: float = 0, bytewise: bool = False, refuse: bool = False,
        ping: bool = False, hello: bool = False, http: bytes = b"", close: bool = False,
    ) -> None:  # fmt: skip
        self.counts: Counter[str] = Counter()
        self._skip, self._repeat, self._delay, self._bytewise = skip, repeat, delay, bytewise
        self._refuse, self._ping, self._hello, self._http, self._close = refuse, ping, hello, http, close
        self._members: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> FrameServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError), connection:
            stream = connection.makefile("rb")
            while True:
                head = []
                while (line := stream.readline().strip()) or not head:
                    head.append(line)
                    if not line:
                        return
                headers = {
                    name.lower(): value.strip() for name, _, value in (each.partition(b":") for each in head[1:])
                }
                if b"sec-websocket-key" not in headers:
                    self.counts["requests"] += 1
                    connection.sendall(self._http)
                    if self._close:
                        return
                    continue
                if self._refuse:
                    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                    return
                accept = base64.b64encode(hashlib.sha1(headers[b"sec-websocket-key"] + _GUID).digest())
                self._socket(connection, stream, head[0].split()[1].decode(), accept)
                return

    def _socket(self, connection: socket.socket, stream, path: str, accept: bytes) -> None:
        if path == "/member":
            with self._lock:
                self._members.append(connection)
        upgrade = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        connection.sendall(upgrade + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        self.counts["accepted"] += 1
        if self._hello:
            self._send(connection, b'0{"sid":"x"}')
        while True:
            opcode, payload = self._frame(stream)
            if opcode == 8:
                self._send(connection, payload, opcode=8)
                return
            if opcode == 10:
                self.counts["pongs"] += 1
            elif self._hello and payload == b"40":
                self._send(connection, b'40{"sid":"y"}')
            elif self._hello and payload == b"3":
                self.counts["pongs"] += 1
            else:
                self.counts[path] += 1
                self._answer(connection, path, payload)

    def _answer(self, connection: socket.socket, path: str, payload: bytes) -> None:
        time.sleep(self._delay)
        if path == "/echo":
            if self._ping:
                self._send(connection, b"2" if self._hello else b"there?", opcode=1 if self._hello else 9)
            self._send(connection, payload)
        elif path == "/publish":
            self._group(payload)
        else:
            for number in range(int(payload[:8], 16)):
                self._group(b"%08x" % number + payload[8:])

    def _group(self, payload: bytes) -> None:
        for member in self._members:
            self.counts["deliveries"] += 1
            if self._skip and self.counts["deliveries"] % self._skip == 0:
                self.counts["skipped"] += 1
                continue
            for _ in range(2 if self._repeat else 1):
                self._send(member, payload)

    def _send(self, connection: socket.socket, payload: bytes, opcode: int = 1) -> None:
        length = bytes([len(payload)]) if len(payload) < 126 else bytes([126]) + len(payload).to_bytes(2, "big")
        frame = bytes([0x80 | opcode]) + length + payload
        for part in [frame[at : at + 1] for at in range(len(frame))] if self._bytewise else [frame]:
            connection.sendall(part)

    @staticmethod
    def _frame(stream) -> tuple[int, bytes]:
        def read(size: int) -> bytes:
            data = stream.read(size)
            if len(data) < size:
                raise EOFError
            return data

        first, second = read(2)
        size = second & 127
        if size == 126:
            size = int.from_bytes(read(2), "big")
        mask, payload = read(4), read(size)
        assert second & 128, "a client's frame must be masked"
        return first & 15, bytes(byte ^ mask[index & 3] for index, byte in enumerate(payload))
