"""Production settings, and nothing that is not measured. The bench names layer and Redis in the environment."""

from __future__ import annotations

import os

DEBUG = False
SECRET_KEY = "bench"  # noqa: S105
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS: list[str] = []
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "app.urls"
USE_TZ = True
LOGGING_CONFIG = None

_LAYER = os.environ.get("BENCH_LAYER")
_CONFIG: dict[str, object] = {"hosts": [os.environ.get("BENCH_REDIS")]}
if _LAYER == "channels_redis.core.RedisChannelLayer":
    # As for Channels 1.x: with the default of 100, most of each group message would be lost.
    _CONFIG["capacity"] = 20_000
CHANNEL_LAYERS = {"default": {"BACKEND": _LAYER, "CONFIG": _CONFIG}} if _LAYER else {}
