"""Views that raise errors, or ResponseLater, which nobody but the handler must see, on whatever Django is installed."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from channels import Channel
from channels.asgi import ChannelLayerWrapper
from channels.exceptions import ResponseLater
from channels.handler import AsgiHandler, ViewConsumer
from channels.staticfiles import StaticFilesHandler
from django.core import signals
from django.core.handlers import exception as django_exceptions
from django.http import HttpRequest, HttpResponse
from django.urls import path

from channels_lts.compat.inmemory import ChannelLayer
from tests.http_calls import REPLY, bare_project, body_of, call, header

# The end of a request looks after the connections of its thread, which a test before may have opened.
pytestmark = pytest.mark.django_db

seen: list[str] = []


def later(request: HttpRequest) -> HttpResponse:
    Channel("answer.it").send({"reply_channel": request.reply_channel.name}, immediately=True)  # type: ignore[attr-defined]
    raise ResponseLater


def later_by_request(request: HttpRequest) -> HttpResponse:
    raise request.ResponseLater  # type: ignore[attr-defined]


def broken(request: HttpRequest) -> HttpResponse:
    raise ValueError("broken view")


def error_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("the project's page", status=500)


def broken_error_page(request: HttpRequest) -> HttpResponse:
    raise LookupError("broken error page")


handler500 = error_page
urlpatterns = [
    path("later/", later),
    path("later-by-request/", later_by_request),
    path("broken/", broken),
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
    bare_project(settings, __name__, f"{__name__}.Outer", "django.middleware.common.CommonMiddleware")
    seen.clear()


@pytest.fixture(autouse=True)
def layer(monkeypatch: pytest.MonkeyPatch) -> ChannelLayerWrapper:
    """The default layer of one test."""
    from channels import channel_layers

    layer = ChannelLayerWrapper(ChannelLayer(), "default", [])
    monkeypatch.setitem(channel_layers.backends, "default", layer)
    return layer


# --- ResponseLater ---


@pytest.mark.parametrize("target", ["/later/", "/later-by-request/"])
def test_view_that_answers_later_sends_nothing(target):
    assert call(target) == []
    assert seen == ["request", "after"]


def test_answer_of_a_consumer_is_the_only_one(layer):
    consumer = ViewConsumer()
    call("/later/", handler=lambda message: consumer(message) or [], layer=layer)
    channel, message = layer.receive(["answer.it", "http.response!"])
    assert (channel, message) == ("answer.it", {"reply_channel": REPLY})
    assert layer.receive(["http.response!"]) == (None, None)


def test_middleware_may_answer_later():
    assert call("/from-middleware/") == []


def test_response_later_is_no_error_to_anybody(caplog):
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


def test_static_files_handler_lets_views_answer_later():
    assert call("/later/", handler=StaticFilesHandler()) == []


def test_other_exceptions_become_the_error_page():
    replies = call("/broken/")
    assert replies[0]["status"] == 500
    assert body_of(replies) == b"the project's page"
    assert seen == ["request", "ValueError", "after"]


def test_a_shim_is_not_put_over_itself():
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


def test_error_page_that_fails_is_answered_all_the_same(failing_page, caplog):
    replies = call("/broken/")
    assert replies[0]["status"] == 500
    assert body_of(replies) == b"Internal Server Error"
    assert header(replies, "content-type") == ["text/plain"]
    assert "broken error page" in caplog.text


def test_failing_error_page_is_explained_in_debug_only(settings, monkeypatch):
    def fail(*args: Any) -> None:
        raise LookupError("broken error page")

    settings.DEBUG = True
    monkeypatch.setattr(django_exceptions, "handle_uncaught_exception", fail)
    assert b"LookupError: broken error page" in body_of(call("/broken/"))


def test_exceptions_propagate_where_the_project_wants_it(settings):
    settings.DEBUG_PROPAGATE_EXCEPTIONS = True
    with pytest.raises(ValueError, match="broken view"):
        call("/broken/")
