"""Exceptions of views: since Django 1.10 they never reach the methods in which ``AsgiHandler`` handles them.

Django turns an exception into a response around the view and around every middleware. So ``ResponseLater``, by which a
view says that a consumer will answer, became a 500; and where the project's error page fails itself, the client got no
answer at all, where Channels means to send a plain 500.
"""

from __future__ import annotations

import functools
import logging
import traceback
from types import ModuleType
from typing import Any

from channels_lts.compat.imports import after_import

logger = logging.getLogger(__name__)


def install() -> None:
    """Mend both when ``channels.handler`` is imported."""
    after_import("channels.handler", _mend)


def _mend(handler: ModuleType) -> None:
    _pass_on(handler.ResponseLaterOuter)
    _answer_always(handler.AsgiHandler, handler.ResponseLaterOuter)


def _pass_on(response_later: type[Exception]) -> None:
    """Let *response_later* through all middleware, to the handler."""
    from django.core.handlers import exception as module

    original = module.response_for_exception

    @functools.wraps(original)
    def response_for_exception(request: Any, exc: Exception) -> Any:
        if isinstance(exc, response_later):
            raise exc
        return original(request, exc)

    module.response_for_exception = response_for_exception


def _answer_always(handler_class: Any, response_later: type[Exception]) -> None:
    """Answer in plain text when the error page fails."""
    from django.conf import settings
    from django.http import HttpResponseServerError

    def get_response(self: Any, request: Any) -> Any:
        try:
            return super(handler_class, self).get_response(request)
        except response_later:
            raise
        except Exception:
            if settings.DEBUG_PROPAGATE_EXCEPTIONS:
                raise
            logger.exception("The error page failed for %s %s", request.method, request.path)
            text = traceback.format_exc() if settings.DEBUG else "Internal Server Error"
            return HttpResponseServerError(text, content_type="text/plain")

    handler_class.get_response = get_response
