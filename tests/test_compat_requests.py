"""What arrives in a view through Channels' handler, and what leaves it, on whatever Django is installed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.utils import translation
from django.views.decorators.csrf import csrf_protect

from tests.http_calls import bare_project, body_of, call, header

# The end of a request looks after the connections of its thread, which a test before may have opened.
pytestmark = pytest.mark.django_db


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


urlpatterns = [
    path("echo/", echo),
    path("protected/", csrf_protect(echo)),
    path("json/", body_json),
    path("cookies/", cookies),
    path("stream/", stream),
    path("file/", file),
]


@pytest.fixture(autouse=True)
def project(settings: Any) -> None:
    bare_project(
        settings, __name__, "django.middleware.common.CommonMiddleware", "django.middleware.gzip.GZipMiddleware"
    )


# --- Requests ---


def test_query_headers_cookies_and_addresses_arrive():
    replies = call("/echo/?a=1&b=%E4%B8%AD", x_thing="yes", cookie="cookie=tasty", accept_language="zh-hans")
    data = json.loads(body_of(replies))
    assert data["get"] == {"a": "1", "b": "中"}
    assert data["header"] == "yes"
    assert data["cookie"] == "tasty"
    assert data["client"] == "192.0.2.7"
    assert data["uri"] == "http://localhost/echo/?a=1&b=%E4%B8%AD"
    assert data["language"] == "zh-hans"
    assert data["repr"] == "<AsgiRequest: GET '/echo/?a=1&b=%E4%B8%AD'>"


def test_form_arrives():
    body = b"name=ann&text=%E4%B8%AD%E6%96%87"
    replies = call("/echo/", "POST", body, content_type="application/x-www-form-urlencoded; charset=utf-8")
    data = json.loads(body_of(replies))
    assert data["post"] == {"name": "ann", "text": "中文"}
    assert data["content_type"] == "application/x-www-form-urlencoded"
    assert data["body"] == len(body)


def test_upload_arrives():
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


def test_json_body_arrives():
    replies = call("/json/", "POST", b'{"a": [1]}', content_type="application/json")
    assert json.loads(body_of(replies)) == {"json": {"a": [1]}}


def test_malformed_upload_is_a_bad_request():
    replies = call("/echo/", "POST", b"nothing of the kind", content_type="multipart/form-data; boundary=" + "x" * 300)
    assert replies[0]["status"] == 400


def test_form_without_csrf_token_is_refused():
    assert call("/protected/", "POST", b"a=1", content_type="application/x-www-form-urlencoded")[0]["status"] == 403


def test_form_with_csrf_token_is_taken():
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


def test_cookies_are_set():
    cookies = header(call("/cookies/"), "set-cookie")
    assert [cookie.split(";")[0].strip() for cookie in cookies] == ["a=1", "b=2"]


def test_streamed_response_comes_in_parts():
    replies = call("/stream/")
    assert [reply.get("content") for reply in replies] == [b"part 0;", b"part 1;", b"part 2;", None]


def test_file_response_is_sent_and_closed():
    with open(__file__, "rb") as this:
        assert body_of(call("/file/")) == this.read()


def test_compressed_response():
    replies = call("/echo/?a=" + "b" * 500, accept_encoding="gzip")
    assert header(replies, "content-encoding") == ["gzip"]


def test_missing_slash_redirects():
    replies = call("/echo")
    assert replies[0]["status"] == 301
    assert header(replies, "location") == ["/echo/"]
