"""HTTPS and wss, from an endpoint with a certificate."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interface.running import Client, Interface, request, upgrade
from tests.interface.sockets import text
from tests.services import find, free_port, listening, wait_for

pytestmark = pytest.mark.system


class Secure(Interface):
    certificate: Path

    def connect(self) -> Client:
        context = ssl.create_default_context(cafile=self.certificate)
        plain = socket.create_connection(("127.0.0.1", self.port))
        return Client(context.wrap_socket(plain, server_hostname="localhost"))

    def wait_until(self, ready: Callable[[], object], timeout: float = 20) -> None:
        wait_for(lambda: listening(self.port), "it listens", timeout)


@pytest.fixture
def secure(start_interface: Callable[..., Interface], tmp_path: Path) -> Interface:
    certificate, key, port = tmp_path / "certificate.pem", tmp_path / "key.pem", free_port()
    command = [find("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]
    subprocess.run([*command, *names], check=True, capture_output=True)

    class Here(Secure):
        def launch(self) -> None:
            self.port, self.certificate = port, certificate
            super().launch()

    endpoint = f"ssl:{port}:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
    return start_interface(kind=Here, listen=("-e", endpoint), streams=True)


def test_requests_sockets_and_the_end_by_tls(secure: Interface) -> None:
    message, response = secure.get("/")
    assert (message["scheme"], response.body) == ("https", b"ok")
    with secure.connect() as kept, secure.connect() as client:
        kept.send(request("/first"))
        secure.answer(secure.take("http.request"))
        assert kept.response().status == 200
        client.send(upgrade("/streams/"))
        message = secure.take("websocket.connect")
        assert message["scheme"] == "wss"
        secure.reply(message, accept=True)
        assert client.head().status == 101
        client.send(text("in"))
        assert secure.take("websocket.receive")["text"] == "in"
        secure.reply(message, bytes=bytes(200_000))
        assert client.exactly(10) == b"\x82\x7f" + (200_000).to_bytes(8, "big")
        assert client.exactly(200_000) == bytes(200_000)
        secure.signal()
        opcode, size = client.exactly(2)
        assert opcode == 0x81
        assert json.loads(client.exactly(size))["payload"]["type"] == "disconnect"
        opcode, size = client.exactly(2)
        assert (opcode, client.exactly(size)[:2]) == (0x88, (1012).to_bytes(2, "big"))
        client.send(b"\x88\x82\0\0\0\0\x03\xf4")
        assert client.closed()
        kept.send(request("/last"))
        secure.answer(secure.take("http.request"))
        assert kept.response().header("Connection") == "close"
    assert secure.take("websocket.disconnect")["code"] == 1012
    assert secure.exit_status() == 0
    assert "Traceback" not in secure.log
