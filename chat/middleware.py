"""Requests that show a token: whose they are, and which views take one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from channels_lts import bearer
from channels_lts.exceptions import StreamError
from chat import responses, tokens

View = TypeVar("View", bound=Callable[..., Any])


def takes_token(view: View) -> View:
    """Mark *view*: whoever shows a token may call it, as the token's owner."""
    view.takes_token = True  # type: ignore[attr-defined]
    return view


class TokenMiddleware:
    """Make who shows ``Authorization: Bearer …`` the sender of a request, in place of whoever its cookies name.

    A wrong token is 401, whatever the cookies say; a right one is 403 at views that take none, so that a token that
    leaks makes no tokens, changes no password and opens no admin. Such a request needs no CSRF token, since no browser
    adds this header by itself. In the list it goes before CsrfViewMiddleware, whose check must find what this noted.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        value = request.META.get("HTTP_AUTHORIZATION")
        secret = None if value is None else bearer.of_value(value)
        if secret is None:
            return None
        try:
            token = tokens.check(secret)
            if not getattr(view, "takes_token", False):
                raise StreamError("not_allowed", _("This page takes no tokens."))
        except StreamError as error:
            return refusal(error)
        request.user = token.user
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        return None


def refusal(error: StreamError, **fields: Any) -> JsonResponse:
    """Return the answer to a request that was refused, in JSON; *fields* go beside the error."""
    content = responses.error_body(error, **fields)
    response = JsonResponse(content, status=responses.status_of(error), json_dumps_params={"ensure_ascii": False})
    for name, value in responses.headers_of(error).items():
        response[name] = value
    response["Cache-Control"] = "no-store"
    return response
