"""Redis behind TLS."""

from __future__ import annotations

import importlib.util
import subprocess

import pytest

from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer import RedisChannelLayer
from tests.layer.in_reactor import call
from tests.services import find, free_port, listening, wait_for

pytestmark = pytest.mark.system


@pytest.fixture
def encrypted(make_server, tmp_path):
    """A Redis behind TLS: its port, and the file with its certificate."""
    certificate, key, port = tmp_path / "certificate.pem", tmp_path / "key.pem", free_port()
    command = [find("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run([*command, *names], check=True, capture_output=True)
    options = {"port": str(port), "cert-file": certificate, "key-file": key, "ca-cert-file": certificate}
    arguments = [part for name, value in options.items() for part in (f"--tls-{name}", str(value))]
    make_server(*arguments, "--tls-auth-clients", "no")
    wait_for(lambda: listening(port), "it listens")
    return port, certificate


@pytest.mark.parametrize("verified", [False, True])
def test_messages_travel_by_tls(encrypted, verified):
    port, certificate = encrypted
    options = f"?ssl_cert_reqs=required&ssl_ca_certs={certificate}" if verified else ""
    layer = RedisChannelLayer(hosts=[f"rediss://localhost:{port}/0{options}"])
    layer.send("work", {"n": 1})
    assert layer.receive(["work"], block=True) == ("work", {"n": 1})


def test_a_certificate_that_nobody_vouches_for_is_refused(encrypted):
    port, _ = encrypted
    layer = RedisChannelLayer(hosts=[f"rediss://localhost:{port}/0?ssl_cert_reqs=required"])
    with pytest.raises(LayerUnavailable, match="certificate verify failed"):
        layer.send("work", {})


def test_the_interface_server_speaks_tls_where_pyopenssl_is_installed(encrypted, make_sockets, caplog):
    port, certificate = encrypted
    layer = RedisChannelLayer(hosts=[f"rediss://localhost:{port}/0?ssl_cert_reqs=required&ssl_ca_certs={certificate}"])
    if importlib.util.find_spec("OpenSSL") is None:
        sockets = make_sockets(layer, started=False)
        call(lambda: [sockets.link.start()])
        wait_for(lambda: "needs pyOpenSSL and service-identity" in caplog.text, "the log says what is missing")
        return
    sockets = make_sockets(layer)
    channel = sockets.open()
    layer.group_add("room", channel)
    layer.send_group("room", {"n": 1})
    wait_for(lambda: sockets.of(channel) == [1], "the message")
