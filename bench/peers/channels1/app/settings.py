"""Production settings, and nothing that is not measured. The bench names apps, layer and Redis in the environment."""

from __future__ import annotations

import os

DEBUG = False
SECRET_KEY = "bench"  # noqa: S105
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = os.environ["BENCH_APPS"].split(",")
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "app.urls"
USE_TZ = True
LOGGING_CONFIG = None

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": os.environ["BENCH_LAYER"],
        "ROUTING": "app.routing.channel_routing",
        "CONFIG": {
            "hosts": [os.environ["BENCH_REDIS"]],
            # Above the default of 100, or 1,000 connections with a message each would be refused. One list carries
            # what all sockets of an interface server get: with 100, stock loses most of each group message.
            "capacity": 10_000,
            "channel_capacity": {"daphne.response*": 20_000},
        },
    }
}
