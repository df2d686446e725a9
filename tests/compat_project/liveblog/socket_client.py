"""As much of a WebSocket client as the tests need."""

import base64
import os
import socket


class SocketClient:
    def __init__(self, port, path):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.stream = self.socket.makefile("rb")
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: localhost:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode(),
        ]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.status = int(self.stream.readline().split()[1])
        while self.stream.readline().strip():
            pass

    def send(self, text):
        data = text.encode()
        self.socket.sendall(bytes([0x81, 0x80 | len(data)]) + bytes(4) + data)

    def receive(self):
        _, length = self.stream.read(2)
        if length == 126:
            length = int.from_bytes(self.stream.read(2), "big")
        return self.stream.read(length).decode()

    def close(self):
        self.stream.close()
        self.socket.close()
