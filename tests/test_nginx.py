"""deploy/nginx in front of the real stack: both shipped configurations, with other paths and ports in them."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from tests.images import png
from tests.services import ROOT, find, free_port, wait_for
from tests.visitor import Visitor

sys.path.append(str(ROOT / "deploy" / "nginx"))

import render

NGINX = ROOT / "deploy" / "nginx"
BOTH = ["chat.conf", "chat-wsgi.conf"]
SECURITY = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"}
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


@pytest.fixture(scope="module")
def behind(make_stack):
    """A stack with what both configurations need: the WSGI server, and media files sent by nginx."""
    stack = make_stack(
        SUPERVISOR_INCLUDE="embedded/redis.conf wsgi.conf",
        WSGI_BIND=f"127.0.0.1:{free_port()}",
        WSGI_WORKERS="1",
        MEDIA_ACCEL_LOCATION="/_media/",
    )
    wait_for(lambda: stack.states().get("wsgi") == "RUNNING", "gunicorn runs")
    yield stack
    stack.stop()


@pytest.fixture(scope="module", params=BOTH)
def front(request, behind, make_nginx):
    return make_nginx(request.param, behind)


@pytest.fixture
def ann(front):
    return Visitor(front.url).be_guest("ann")


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
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"))
    parser.read(ROOT / "deploy" / "supervisor" / "interface.conf")
    words = shlex.split(parser["fcgi-program:daphne"]["command"])
    options = {
        word: int(words[words.index(word) + 1]) for word in ("--http-timeout", "--ping-interval", "--ping-timeout")
    }
    read_timeout = int(re.search(r"proxy_read_timeout (\d+)s;", (NGINX / "snippets" / "proxy.conf").read_text())[1])
    assert read_timeout > options["--http-timeout"]
    assert read_timeout > options["--ping-interval"] + options["--ping-timeout"]


@pytest.mark.system
class TestBehindNginx:
    def test_nginx_accepts_the_configuration_without_a_warning(self, front):
        said = front.check()
        assert "syntax is ok" in said
        assert "[warn]" not in said

    def test_two_people_talk_through_it(self, front, ann):
        ben = Visitor(front.url).be_guest("ben")
        with ann.connect("/ws/") as hers, ben.connect("/ws/") as his:
            for socket in (hers, his):
                socket.receive_stream("system", "welcome")
                socket.send_stream("chat", type="join", room="lobby")
                socket.receive_stream("chat", "joined")
            hers.send_stream("chat", type="send", room="lobby", body="through nginx", id="1")
            assert hers.receive_stream("chat", "ack")["id"] == "1"
            assert his.receive_stream("chat", "message")["body"] == "through nginx"

    def test_pages_long_poll_and_health_come_through_it(self, front, ann):
        assert ann.get("/rooms/lobby/").status == 200
        assert ann.get("/healthz").json()["status"] == "ok"
        with ann.connect("/ws/chat/lobby/") as socket:
            socket.send({"message": "for the poll"})
            socket.receive_with("message")
        assert ann.get("/poll/lobby/?since=0").json()["messages"]

    def test_pages_go_to_gunicorn_where_there_is_one(self, front, behind):
        """The web workers stopped, only gunicorn can answer a page, and nobody what is a consumer's."""
        behind.wait_running()
        behind.supervisorctl("stop", "workers:web_00", "workers:web_01")
        try:
            hasty = Visitor(front.url, timeout=2)
            if front.name == "chat-wsgi.conf":
                assert hasty.get("/guest/").status == 200
            else:
                with pytest.raises(TimeoutError):
                    hasty.get("/guest/")
            for path in ("/healthz", "/poll/lobby/?since=0"):
                with pytest.raises(TimeoutError):
                    hasty.get(path)
        finally:
            behind.supervisorctl("start", "workers:web_00", "workers:web_01")
            behind.wait_running()

    def test_a_client_cannot_choose_the_root_path(self, front, behind):
        forged = {"Daphne-Root-Path": "/forged"}
        assert 'action="/forged/guest/' in Visitor(behind.url).request("GET", "/guest/", headers=forged).text
        assert "/forged" not in Visitor(front.url).request("GET", "/guest/", headers=forged).text

    def test_origin_is_checked_through_it(self, front, ann):
        import websocket

        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            ann.connect("/ws/", origin="http://evil.example.com")
        assert refused.value.status_code == 403

    def test_hashed_static_files_are_kept_for_ever(self, front, ann):
        hashed = re.search(r'"(/static/[^"]+\.[0-9a-f]{12}\.js)"', ann.get("/").text)[1]
        response = ann.get(hashed)
        assert response.status == 200
        assert response.all("Cache-Control") == ["public, max-age=31536000, immutable"]
        assert "charset=utf-8" in response.headers["Content-Type"]
        plain = ann.get(re.sub(r"\.[0-9a-f]{12}\.js", ".js", hashed))
        assert plain.all("Cache-Control") == ["public, max-age=3600"]

    def test_static_files_are_compressed_and_pages_are_not(self, front, ann):
        """Compressed pages would tell the length of the secrets in them."""
        hashed = re.search(r'"(/static/[^"]+\.[0-9a-f]{12}\.css)"', ann.get("/").text)[1]
        assert ann.get(hashed, Accept_Encoding="gzip").headers["Content-Encoding"] == "gzip"
        assert ann.get("/", Accept_Encoding="gzip").headers["Content-Encoding"] is None

    def test_a_missing_static_file_is_not_kept(self, front, ann):
        response = ann.get("/static/none.0123456789ab.js")
        assert response.status == 404
        assert response.all("Cache-Control") == []

    def test_media_comes_by_permission_only(self, front, ann):
        posted = ann.upload("/rooms/lobby/images/", "image", png())
        assert posted.status == 201, posted.text
        url = posted.json()["message"]["image"]["url"]
        response = ann.get(url)
        assert (response.status, response.headers["Content-Type"]) == (200, "image/png")
        assert response.body.startswith(b"\x89PNG")
        assert response.all("Content-Security-Policy") == ["default-src 'none'; sandbox"]
        assert "private" in response.headers["Cache-Control"]
        assert response.all("X-Accel-Redirect") == []
        # By itself nobody gets at it, neither by the internal location nor around the application.
        assert ann.get(url.replace("/media/", "/_media/", 1)).status == 404
        assert Visitor(front.url).get(url).status == 404
        assert Visitor(front.url).get("/db.sqlite3").status == 404

    def test_an_upload_over_the_limit_is_refused_before_it_travels(self, front, behind, ann):
        response = ann.upload("/rooms/lobby/images/", "image", b"\0" * (11 * 1024 * 1024 + 1))
        assert response.status == 413
        assert response.headers["Content-Type"] == "application/json"
        assert response.json()["error"]["code"] == "too_large"

    def test_an_image_of_ten_mebibytes_passes(self, front, ann):
        image = png() + b"\0" * (10 * 1024 * 1024 - len(png()))
        assert ann.upload("/rooms/lobby/images/", "image", image).status == 201

    def test_each_security_header_comes_once(self, front, ann):
        upload = ann.upload("/rooms/lobby/images/", "image", png()).json()["message"]["image"]["url"]
        static = re.search(r'"(/static/[^"]+\.js)"', ann.get("/").text)[1]
        responses = {
            path: ann.get(path) for path in ("/", "/healthz", "/none", static, "/static/none", upload, "/_media/")
        }
        responses["413"] = ann.upload("/rooms/lobby/images/", "image", b"\0" * 12_000_000)
        for path, response in responses.items():
            assert {name: response.all(name) for name in SECURITY} == {name: [SECURITY[name]] for name in SECURITY}, (
                path
            )
        for path in ("/", upload):
            assert len(responses[path].all("Content-Security-Policy")) == 1

    def test_nothing_went_wrong_on_the_way(self, front):
        """Last: what nginx itself complained of while the others ran."""
        complaints = [
            line for line in front.errors().splitlines() if "client intended to send too large body" not in line
        ]
        assert [
            line for line in complaints if "[crit]" in line or "[alert]" in line or "buffered to a" not in line
        ] == []


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


@pytest.mark.system
def test_tls_is_an_included_file(behind, make_nginx, tmp_path):
    certificate, key, port = tmp_path / "certificate.pem", tmp_path / "key.pem", free_port()
    command = [find("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    tls = (NGINX / "snippets" / "tls.conf").read_text()
    for shipped, ours in (
        ("listen [::]:443 ssl http2;\n", ""),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/letsencrypt/live/chat.example.com/fullchain.pem", str(certificate)),
        ("/etc/letsencrypt/live/chat.example.com/privkey.pem", str(key)),
        ("https://$host$", f"https://$host:{port}$"),
    ):
        assert shipped in tls
        tls = tls.replace(shipped, ours)
    front = make_nginx("chat.conf", behind, local={"tls.conf": tls})
    assert "[warn]" not in front.check()

    plain = Visitor(front.url.replace("127.0.0.1", "localhost"))
    redirect = plain.get("/rooms/lobby/?a=1")
    assert (redirect.status, redirect.headers["Location"]) == (301, f"https://localhost:{port}/rooms/lobby/?a=1")
    assert plain.get("/.well-known/acme-challenge/token").status == 404

    secure = Visitor(f"https://localhost:{port}", context=ssl.create_default_context(cafile=str(certificate)))
    assert secure.get("/").status == 200
    secure.be_guest("ann")
    with secure.connect("/ws/chat/lobby/") as socket:
        socket.send({"message": "over TLS"})
        assert socket.receive_with("message")["message"] == "over TLS"


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
