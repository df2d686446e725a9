"""deploy/nginx in front of the real stack: both shipped configurations, with other paths and ports in them."""

from __future__ import annotations

import re
import ssl
import subprocess

import pytest

from tests.front import BOTH
from tests.images import png
from tests.services import ROOT, find, free_port, wait_for
from tests.visitor import Visitor

pytestmark = pytest.mark.system

NGINX = ROOT / "deploy" / "nginx"
SECURITY = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"}


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
        assert "/forged" not in Visitor(behind.url).request("GET", "/guest/", headers=forged).text
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
        # The application refuses as well, but of its answers each names a job.
        assert "job" not in response.json()

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


@pytest.fixture(scope="module")
def production(make_stack):
    """A stack as deploy/channels.env.example describes it, but for addresses, directories and secrets."""
    example = (ROOT / "deploy" / "channels.env.example").read_text()
    settings = dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE))
    for name in (
        *("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "VAR_DIR", "STATIC_ROOT", "MEDIA_ROOT", "VENV", "RUN_DIR"),
        *("LOG_DIR", "PORT", "OPEN_FILES", "SUPERVISOR_INCLUDE"),
    ):
        del settings[name]
    stack = make_stack(**{**settings, "ALLOWED_HOSTS": "localhost"})
    yield stack
    stack.stop()


@pytest.fixture(scope="module")
def tls(production, make_nginx, tmp_path_factory):
    """nginx with the shipped tls.conf in its place, and a certificate of our own. Returns it and its HTTPS address."""
    directory, port = tmp_path_factory.mktemp("tls"), free_port()
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    command = [find("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    text = (ROOT / "deploy" / "nginx" / "snippets" / "tls.conf").read_text()
    for shipped, ours in (
        ("listen [::]:443 ssl http2;\n", ""),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/letsencrypt/live/chat.example.com/fullchain.pem", str(certificate)),
        ("/etc/letsencrypt/live/chat.example.com/privkey.pem", str(key)),
        ("https://$host$", f"https://$host:{port}$"),
        ("root /var/www/letsencrypt;", f"root {directory};"),
    ):
        assert shipped in text
        text = text.replace(shipped, ours)
    challenges = directory / ".well-known" / "acme-challenge"
    challenges.mkdir(parents=True)
    (challenges / "token").write_text("the answer")
    context = ssl.create_default_context(cafile=str(certificate))
    front = make_nginx("chat.conf", production, local={"tls.conf": text})
    return front, lambda: Visitor(f"https://localhost:{port}", context=context)


class TestProductionOverTLS:
    def test_nginx_accepts_the_configuration_without_a_warning(self, tls):
        assert "[warn]" not in tls[0].check()

    def test_plain_http_only_leads_to_https_and_to_certificates(self, tls):
        front, secure = tls
        plain = Visitor(front.url.replace("127.0.0.1", "localhost"))
        redirect = plain.get("/rooms/lobby/?a=1")
        assert (redirect.status, redirect.headers["Location"]) == (301, f"{secure().url}/rooms/lobby/?a=1")
        assert plain.get("/.well-known/acme-challenge/token").text == "the answer"

    def test_people_sign_up_and_talk(self, tls):
        ann = tls[1]()
        assert ann.get("/").status == 200
        assert ann.get("/guest/").status == 403
        ann.get("/accounts/signup/")
        password = "correct horse battery"
        signed = ann.post("/accounts/signup/", username="ann", password1=password, password2=password, next="/")
        assert signed.status == 302, signed.text
        cookie = next(line for line in signed.all("Set-Cookie") if line.startswith("sessionid="))
        assert "secure" in cookie.lower()
        with ann.connect("/ws/chat/lobby/") as socket:
            socket.send({"message": "over TLS"})
            assert socket.receive_with("message")["message"] == "over TLS"

    def test_browsers_are_told_to_stay_with_https(self, tls):
        assert tls[1]().get("/").all("Strict-Transport-Security") == ["max-age=31536000; includeSubDomains; preload"]
