"""A project for stock Daphne and stock `runworker` on our layer: settings, consumers and the entry point, from the
environment. ``channels`` stands before ``channels_lts``, so that the command is Channels' own.
"""

from __future__ import annotations

import os

from channels_lts import compat

compat.install()

SECRET_KEY = "tests"
DEBUG = True
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "tests.layer.stock_project"
INSTALLED_APPS = ["channels", "channels_lts"]
SILENCED_SYSTEM_CHECKS = ["channels_lts.E001"]
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_lts.layer.RedisChannelLayer",
        "CONFIG": {"hosts": [os.environ.get("REDIS_URL", "")], "prefix": os.environ.get("PREFIX", "stock:")},
        "ROUTING": "tests.layer.stock_project.routing",
    }
}


def hello(request):
    from django.http import HttpResponse

    return HttpResponse(f"hello {request.path}")


def connect(message):
    from channels import Group

    Group("all").add(message.reply_channel)
    message.reply_channel.send({"accept": True})


def receive(message):
    from channels import Group

    text = message.content["text"]
    if text.startswith("all:"):
        Group("all").send({"text": text})
    else:
        message.reply_channel.send({"text": text})


def disconnect(message):
    from channels import Group

    Group("all").discard(message.reply_channel)


def __getattr__(name: str) -> object:
    # What needs the settings is made when it is asked for.
    if name == "urlpatterns":
        try:
            from django.urls import re_path
        except ImportError:
            from django.conf.urls import url as re_path
        return [re_path("", hello)]
    if name == "routing":
        from channels.routing import route

        return [
            route("websocket.connect", connect),
            route("websocket.receive", receive),
            route("websocket.disconnect", disconnect),
        ]
    if name == "channel_layer":
        from channels.asgi import get_channel_layer

        return get_channel_layer()
    raise AttributeError(name)
