from __future__ import annotations

from django.http import HttpRequest, HttpResponse


def hello(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(b"hello", content_type="text/plain")
    response["Content-Length"] = "5"
    return response
