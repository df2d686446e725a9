"""``ResponseLater`` raised by a view, which Django 1.11 and later turn into an error page.

Since then an exception that leaves a view becomes a response before Channels' handler can see it. Here it becomes a
response of a class of its own, which passes through the middleware, and which the handler takes for "somebody else will
answer".
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse


class _Later(HttpResponse):
    """Stands for the answer that somebody else will send."""


def needed() -> bool:
    return True


def install() -> None:
    from channels.exceptions import ResponseLater
    from channels.handler import AsgiHandler

    to_response = AsgiHandler.process_exception_by_middleware
    get_response = AsgiHandler.get_response

    def process_exception_by_middleware(self: Any, exception: Exception, request: HttpRequest) -> HttpResponse:
        if isinstance(exception, ResponseLater):
            return _Later()
        return to_response(self, exception, request)

    def get_response_or_later(self: Any, request: HttpRequest) -> HttpResponse:
        response = get_response(self, request)
        if isinstance(response, _Later):
            response.close()
            raise ResponseLater
        return response

    AsgiHandler.process_exception_by_middleware = process_exception_by_middleware
    AsgiHandler.get_response = get_response_or_later
