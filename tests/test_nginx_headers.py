"""deploy/nginx without a stack: what the shipped files say, and which headers they let through."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from channels_lts import conf
from tests.front import BOTH, render
from tests.services import ROOT, free_port
from tests.visitor import Visitor

NGINX = ROOT / "deploy" / "nginx"
FORGED = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example.com",
    "X-Forwarded-Port": "4443",
    "X-Forwarded-Ssl": "on",
    "X-Forwarded-Protocol": "ssl",
    "Forwarded": "for=203.0.113.7",
    "Daphne-Root-Path": "/forged",
    "X-Real-IP": "203.0.113.7",
}


def test_shipped_values_are_all_replaceable():
    for name in BOTH:
        values = {key: f"replaced-{key}" for key in render.CONVENTIONAL if key != "wsgi" or "wsgi" in name}
        text = render.render(name, listen="192.0.2.1:80", **values)
        code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
        assert "/srv/" not in code
        assert "include" not in code.replace("include replaced-local/*.conf;", "")
        for shipped, _ in render.CONVENTIONAL.values():
            assert shipped not in code


def test_a_value_without_a_place_is_refused():
    with pytest.raises(
        render.UnknownValueError, match=r"chat\.conf does not hold 127\.0\.0\.1:8001, which --wsgi replaces"
    ):
        render.render("chat.conf", wsgi="127.0.0.1:1")


def test_without_values_nothing_but_the_snippets_is_put_in():
    text = render.render("chat.conf")
    shipped = (NGINX / "chat.conf").read_text()
    kept = [line for line in shipped.splitlines() if "/snippets/" not in line or "chat.d" in line]
    assert set(kept) <= set(text.splitlines())


def test_nginx_waits_longer_than_the_interface_servers():
    command = (ROOT / "deploy" / "supervisor" / "interface.conf").read_text()
    assert "timeout " not in command.replace("--drain-timeout ", ""), "the defaults hold"
    read_timeout = int(re.search(r"proxy_read_timeout (\d+)s;", (NGINX / "snippets" / "proxy.conf").read_text())[1])
    assert read_timeout > conf.DEFAULTS["HTTP_TIMEOUT"]
    assert read_timeout > conf.DEFAULTS["PING_INTERVAL"] + conf.DEFAULTS["PING_TIMEOUT"]


def test_nginx_refuses_what_the_interface_servers_would():
    limit = re.search(r"client_max_body_size (\d+)m;", (NGINX / "snippets" / "server.conf").read_text())[1]
    assert int(limit) * 1024 * 1024 == conf.DEFAULTS["REQUEST_BODY_LIMIT"]


@pytest.mark.system
@pytest.mark.parametrize("name", BOTH)
class TestForgedHeaders:
    def test_none_arrives(self, make_nginx, upstream, name):
        front = make_nginx(name, upstream)
        response = Visitor(front.url).request("GET", "/", headers=FORGED)
        arrived = response.json()
        host = front.url.removeprefix("http://")
        assert {key: arrived[key] for key in arrived if key in FORGED} == {
            "X-Forwarded-For": ["127.0.0.1"],
            "X-Forwarded-Proto": ["http"],
            "X-Forwarded-Host": [host],
            "X-Forwarded-Port": [host.rpartition(":")[2]],
            "X-Real-IP": ["127.0.0.1"],
        }
        assert arrived["Host"] == [host]

    def test_only_websocket_is_upgraded_and_the_rest_is_kept_alive(self, make_nginx, upstream, name):
        front = make_nginx(name, upstream)
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
        arrived = Visitor(front.url).request("GET", "/ws/", headers=upgrade).json()
        assert (arrived["Connection"], arrived["Upgrade"]) == (["upgrade"], ["websocket"])
        for headers in ({}, {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABk"}):
            arrived = Visitor(front.url).request("GET", "/ws/", headers=headers).json()
            assert "Connection" not in arrived
            assert "Upgrade" not in arrived


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers that arrived, as JSON."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        arrived = {name: self.headers.get_all(name) for name in self.headers}
        body = json.dumps(arrived).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def upstream(tmp_path):
    """What stands for a stack where only the headers are of interest."""
    with ThreadingHTTPServer(("127.0.0.1", free_port()), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        yield SimpleNamespace(port=port, directory=tmp_path, env={"WSGI_BIND": f"127.0.0.1:{port}"})
        server.shutdown()
