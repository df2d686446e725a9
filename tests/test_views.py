"""Django's views behind `http.request`: what leaves at once, what leaves with the rest, and when it is given up."""

from __future__ import annotations

from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from channels import channel_layers
from channels.asgi import ChannelLayerWrapper
from channels.channel import Channel
from channels.exceptions import ResponseLater
from channels.message import Message, pending_message_store
from django.core.exceptions import SuspiciousOperation
from django.core.management import call_command
from django.http import HttpResponse, StreamingHttpResponse
from django.template.response import SimpleTemplateResponse
from django.urls import path

from channels_lts import views
from channels_lts.layer import RedisChannelLayer

# Django looks after its database connections at the begin and the end of each request.
pytestmark = [pytest.mark.system, pytest.mark.django_db]

PROCESS = "daphne.response.views!"
received: list[Any] = []


def whole(request):
    return HttpResponse("whole")


def large(request):
    return HttpResponse("x" * (views.ViewConsumer.handler_class.chunk_size + 1))


def streamed(request):
    def parts():
        yield "first"
        # What is there before the second part is asked for.
        received.append(request.layer.receive([PROCESS])[1]["content"])
        yield "second"

    request.layer = request.message.channel_layer
    return StreamingHttpResponse(parts())


def tells(error):
    """Return a view that sends a message, and then raises *error* or renders one that fails."""

    def view(request):
        Channel("elsewhere", channel_layer=request.message.channel_layer).send({})
        if error is None:
            return SimpleTemplateResponse("there is no such template")
        if error:
            raise error
        return HttpResponse("told")

    return view


urlpatterns = [
    path("whole", whole),
    path("large", large),
    path("streamed", streamed),
    path("tells", tells(False)),
    path("fails", tells(RuntimeError())),
    path("refuses", tells(SuspiciousOperation())),
    path("unrendered", tells(None)),
    path("later", tells(ResponseLater())),
]


@pytest.fixture
def ask(redis_server, settings):
    """A function that lets the consumer answer a request to a path; returns the layer."""
    layer = RedisChannelLayer(hosts=[redis_server.url], prefix=f"{uuid4().hex}:")
    settings.MIDDLEWARE = []
    settings.ROOT_URLCONF = __name__
    received.clear()

    def ask(where: str) -> RedisChannelLayer:
        content = {"reply_channel": f"{PROCESS}1", "path": where, "method": "GET", "headers": [], "body": b""}
        wrapper = ChannelLayerWrapper(layer, "default", [])
        pending_message_store.prepare()
        views.ViewConsumer()(Message(content, "http.request", wrapper))
        return layer

    return ask


def sent_later() -> list[dict[str, Any]]:
    messages = pending_message_store.threadlocal.messages
    del pending_message_store.threadlocal.messages
    return [message for _, message in messages]


def test_a_response_in_one_message_leaves_with_what_others_sent(ask):
    layer = ask("/whole")
    assert layer.receive([PROCESS]) == (None, None)
    [message] = sent_later()
    assert (message["status"], message["content"]) == (200, b"whole")


@pytest.mark.parametrize(
    ("where", "status", "told"),
    [("tells", 200, True), ("fails", 500, False), ("refuses", 400, False), ("unrendered", 500, False)],
)
def test_d24_what_a_view_sent_does_not_leave_when_it_fails(ask, where, status, told):
    ask(f"/{where}")
    messages = sent_later()
    assert messages.pop()["status"] == status
    assert messages == ([{}] if told else [])


def test_what_a_view_sent_leaves_when_another_consumer_is_to_answer(ask):
    ask("/later")
    assert sent_later() == [{}]


def test_parts_leave_as_they_come(ask):
    layer = ask("/streamed")
    assert received == [b"first"]
    assert layer.receive([PROCESS])[1] == {"content": b"second", "more_content": True}
    assert layer.receive([PROCESS])[1] == {"more_content": False}
    assert sent_later() == []


def test_a_large_response_leaves_in_parts(ask):
    layer = ask("/large")
    parts = [layer.receive([PROCESS])[1] for _ in range(2)]
    assert [len(part["content"]) for part in parts] == [512 * 1024, 1]
    assert [part["more_content"] for part in parts] == [True, False]


def test_d20_a_response_that_nobody_takes_is_given_up(ask, monkeypatch, caplog):
    """Stock tries for ever, and the worker with it."""
    monkeypatch.setattr(views, "_PATIENCE", 0.2)
    monkeypatch.setattr(RedisChannelLayer, "get_capacity", lambda self, channel: 1)
    layer = ask("/large")
    assert layer.receive([PROCESS])[1]["more_content"]
    assert layer.receive([PROCESS]) == (None, None)
    assert "gave up on the response to /large" in caplog.text


def test_a_full_queue_is_tried_again(ask, monkeypatch):
    layers = []
    send = RedisChannelLayer.send

    def full_at_first(self, channel, message):
        layers.append(self)
        if len(layers) < 3:
            raise self.ChannelFull
        send(self, channel, message)

    monkeypatch.setattr(RedisChannelLayer, "send", full_at_first)
    layer = ask("/large")
    assert [layer.receive([PROCESS])[1]["more_content"] for _ in range(2)] == [True, False]


def test_the_worker_answers_by_it():
    with (
        mock.patch("channels_lts.worker.Worker.run"),
        mock.patch.object(channel_layers["default"].__class__, "local_only", return_value=False),
        mock.patch.object(channel_layers["default"].router, "check_default") as check_default,
    ):
        call_command("runworker")
    [consumer] = check_default.call_args.kwargs.values()
    assert isinstance(consumer, views.ViewConsumer)
