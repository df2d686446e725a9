"""Requests through Channels' handler into real views, on whatever Django is installed."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from channels import Channel
from channels.asgi import ChannelLayerWrapper
from channels.exceptions import ResponseLater
from channels.handler import AsgiHandler, ViewConsumer
from channels.message import Message
from channels.staticfiles import StaticFilesHandler
from django.core import signals
from django.core.handlers import exception as django_exceptions
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.utils import translation
from django.views.decorators.csrf import csrf_protect

from channels_lts.compat.inmemory import ChannelLayer

# The end of a request looks after the connections of its thread, which a test before may have opened.
pytestmark = pytest.mark.django_db

REPLY = "http.response!reply"

seen: list[str] = []


def later(request: HttpRequest) -> HttpResponse:
    Channel("answer.it").send({"reply_channel": request.reply_channel.name}, immediately=True)  # type: ignore[attr-defined]
    raise ResponseLater


def later_by_request(request: HttpRequest) -> HttpResponse:
    raise request.ResponseLater  # type: ignore[attr-defined]


def broken(request: HttpRequest) -> HttpResponse:
    raise ValueError("broken view")


def echo(request: HttpRequest) -> HttpResponse:
    return JsonResponse(
        {
            "get": request.GET.dict(),
            "post": request.POST.dict(),
            "files": {name: [file.name, file.read().decode()] for name, file in request.FILES.items()},
            "body": len(request.body),
            "content_type": request.content_type,
            "header": request.headers.get("X-Thing"),
            "cookie": request.COOKIES.get("cookie"),
            "uri": request.build_absolute_uri(),
            "language": translation.get_language(),
            "client": request.META["REMOTE_ADDR"],
            "repr": repr(request),
        }
    )


def body_json(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"json": json.loads(request.body)})


def cookies(request: HttpRequest) -> HttpResponse:
    response = HttpResponse("ok")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2", httponly=True)
    return response


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(f"part {number};" for number in range(3))


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(open(__file__, "rb"))


def error_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("the project's page", status=500)


def broken_error_page(request: HttpRequest) -> HttpResponse:
    raise LookupError("broken error page")


handler500 = error_page
urlpatterns = [
    path("later/", later),
    path("later-by-request/", later_by_request),
    path("broken/", broken),
    path("echo/", echo),
    path("protected/", csrf_protect(echo)),
    path("json/", body_json),
    path("cookies/", cookies),
    path("stream/", stream),
    path("file/", file),
]


class Outer:
    """Notes what it sees, and raises ResponseLater itself for one path."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        seen.append("request")
        try:
            if request.path == "/from-middleware/":
                raise ResponseLater
            return self.get_response(request)
        finally:
            seen.append("after")

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        seen.append(type(exception).__name__)


@pytest.fixture(autouse=True)
def project(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    settings.DEBUG = False
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        f"{__name__}.Outer",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.gzip.GZipMiddleware",
    ]
    # Django's own error templates, not the chat's.
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    seen.clear()


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> ChannelLayerWrapper:
    from channels import channel_layers

    layer = ChannelLayerWrapper(ChannelLayer(), "default", [])
    monkeypatch.setitem(channel_layers.backends, "default", layer)
    return layer


@pytest.fixture
def call(layer: ChannelLayerWrapper) -> Any:
    """Send a request through the handler; returns its replies."""

    def call(target: str, method: str = "GET", body: bytes = b"", handler: Any = None, **headers: str) -> list[Any]:
        content = {
            "reply_channel": REPLY,
            "http_version": "1.1",
            "method": method,
            "path": target.partition("?")[0],
            "query_string": target.partition("?")[2].encode(),
            "headers": [
                [b"host", b"localhost"],
                [b"content-length", str(len(body)).encode()],
                *([name.replace("_", "-").encode(), value.encode()] for name, value in headers.items()),
            ],
            "body": body,
            "client": ["192.0.2.7", 4711],
            "server": ["localhost", 80],
        }
        message = Message(content, "http.request", layer)
        return list((handler or AsgiHandler())(message))

    return call


def body_of(replies: list[Any]) -> bytes:
    assert not replies[-1]["more_content"]
    return b"".join(reply.get("content", b"") for reply in replies)


def header(replies: list[Any], wanted: str) -> list[str]:
    return [value.decode() for name, value in replies[0]["headers"] if name.decode().lower() == wanted.lower()]


# --- ResponseLater ---


@pytest.mark.parametrize("target", ["/later/", "/later-by-request/"])
def test_view_that_answers_later_sends_nothing(call, target):
    assert call(target) == []
    assert seen == ["request", "after"]


def test_answer_of_a_consumer_is_the_only_one(call, layer):
    consumer = ViewConsumer()
    call("/later/", handler=lambda message: consumer(message) or [])
    channel, message = layer.receive(["answer.it", "http.response!"])
    assert (channel, message) == ("answer.it", {"reply_channel": REPLY})
    assert layer.receive(["http.response!"]) == (None, None)


def test_middleware_may_answer_later(call):
    assert call("/from-middleware/") == []


def test_response_later_is_no_error_to_anybody(call, caplog):
    errors: list[Any] = []

    def note(**kwargs: Any) -> None:
        errors.append(kwargs)

    signals.got_request_exception.connect(note)
    try:
        with caplog.at_level(logging.WARNING):
            call("/later/")
    finally:
        signals.got_request_exception.disconnect(note)
    assert errors == []
    assert caplog.records == []


def test_static_files_handler_lets_views_answer_later(call):
    assert call("/later/", handler=StaticFilesHandler()) == []


def test_other_exceptions_become_the_error_page(call):
    replies = call("/broken/")
    assert replies[0]["status"] == 500
    assert body_of(replies) == b"the project's page"
    assert seen == ["request", "ValueError", "after"]


def test_a_shim_is_not_put_over_itself(call):
    from channels_lts import compat

    before = django_exceptions.response_for_exception, AsgiHandler.get_response
    compat.install()
    assert (django_exceptions.response_for_exception, AsgiHandler.get_response) == before


# --- An error page that fails ---


@pytest.fixture
def failing_page(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.urls import clear_url_caches

    monkeypatch.setitem(globals(), "handler500", broken_error_page)
    clear_url_caches()


def test_error_page_that_fails_is_answered_all_the_same(call, failing_page, caplog):
    replies = call("/broken/")
    assert replies[0]["status"] == 500
    assert body_of(replies) == b"Internal Server Error"
    assert header(replies, "content-type") == ["text/plain"]
    assert "broken error page" in caplog.text


def test_failing_error_page_is_explained_in_debug_only(call, settings, monkeypatch):
    def fail(*args: Any) -> None:
        raise LookupError("broken error page")

    settings.DEBUG = True
    monkeypatch.setattr(django_exceptions, "handle_uncaught_exception", fail)
    assert b"LookupError: broken error page" in body_of(call("/broken/"))


def test_exceptions_propagate_where_the_project_wants_it(call, settings):
    settings.DEBUG_PROPAGATE_EXCEPTIONS = True
    with pytest.raises(ValueError, match="broken view"):
        call("/broken/")


# --- Requests ---


def test_query_headers_cookies_and_addresses_arrive(call):
    replies = call("/echo/?a=1&b=%E4%B8%AD", x_thing="yes", cookie="cookie=tasty", accept_language="zh-hans")
    data = json.loads(body_of(replies))
    assert data["get"] == {"a": "1", "b": "中"}
    assert data["header"] == "yes"
    assert data["cookie"] == "tasty"
    assert data["client"] == "192.0.2.7"
    assert data["uri"] == "http://localhost/echo/?a=1&b=%E4%B8%AD"
    assert data["language"] == "zh-hans"
    assert data["repr"] == "<AsgiRequest: GET '/echo/?a=1&b=%E4%B8%AD'>"


def test_form_arrives(call):
    body = b"name=ann&text=%E4%B8%AD%E6%96%87"
    replies = call("/echo/", "POST", body, content_type="application/x-www-form-urlencoded; charset=utf-8")
    data = json.loads(body_of(replies))
    assert data["post"] == {"name": "ann", "text": "中文"}
    assert data["content_type"] == "application/x-www-form-urlencoded"
    assert data["body"] == len(body)


def test_upload_arrives(call):
    body = (
        b"--limit\r\n"
        b'Content-Disposition: form-data; name="body"\r\n\r\nlook\r\n'
        b"--limit\r\n"
        b'Content-Disposition: form-data; name="image"; filename="a.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\npixels\r\n"
        b"--limit--\r\n"
    )
    replies = call("/echo/", "POST", body, content_type="multipart/form-data; boundary=limit")
    data = json.loads(body_of(replies))
    assert data["post"] == {"body": "look"}
    assert data["files"] == {"image": ["a.txt", "pixels"]}


def test_json_body_arrives(call):
    replies = call("/json/", "POST", b'{"a": [1]}', content_type="application/json")
    assert json.loads(body_of(replies)) == {"json": {"a": [1]}}


def test_malformed_upload_is_a_bad_request(call):
    replies = call("/echo/", "POST", b"nothing of the kind", content_type="multipart/form-data; boundary=" + "x" * 300)
    assert replies[0]["status"] == 400


def test_form_without_csrf_token_is_refused(call):
    assert call("/protected/", "POST", b"a=1", content_type="application/x-www-form-urlencoded")[0]["status"] == 403


def test_form_with_csrf_token_is_taken(call):
    token = "a" * 32
    replies = call(
        "/protected/",
        "POST",
        f"csrfmiddlewaretoken={token}".encode(),
        content_type="application/x-www-form-urlencoded",
        origin="http://localhost",
        cookie=f"csrftoken={token}",
    )
    assert replies[0]["status"] == 200


# --- Responses ---


def test_cookies_are_set(call):
    cookies = header(call("/cookies/"), "set-cookie")
    assert [cookie.split(";")[0].strip() for cookie in cookies] == ["a=1", "b=2"]


def test_streamed_response_comes_in_parts(call):
    replies = call("/stream/")
    assert [reply.get("content") for reply in replies] == [b"part 0;", b"part 1;", b"part 2;", None]


def test_file_response_is_sent_and_closed(call):
    with open(__file__, "rb") as this:
        assert body_of(call("/file/")) == this.read()


def test_compressed_response(call):
    replies = call("/echo/?a=" + "b" * 500, accept_encoding="gzip")
    assert header(replies, "content-encoding") == ["gzip"]


def test_missing_slash_redirects(call):
    replies = call("/echo")
    assert replies[0]["status"] == 301
    assert header(replies, "location") == ["/echo/"]
