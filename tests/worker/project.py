"""Settings of a project whose workers the tests start as processes; the rest is in their environment."""

from __future__ import annotations

import json
import os
from typing import Any

import dj_database_url

from channels_lts import compat

compat.install()

_given: dict[str, Any] = json.loads(os.environ["WORKER_TEST"])

from channels_lts.layer import RedisChannelLayer  # noqa: E402


class PatientLayer(RedisChannelLayer):
    """Where a wait that nobody ends shows."""

    blpop_timeout = 60


SECRET_KEY = "tests"
USE_TZ = True
INSTALLED_APPS = ["channels_lts", "channels"]
ROOT_URLCONF = "tests.worker.consumers"
DATABASES = {
    "default": {**dj_database_url.parse(_given.get("database", "sqlite://:memory:")), "CONN_MAX_AGE": None},
}
CHANNELS_LTS = _given.get("settings", {})
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": _given.get("backend", "channels_lts.layer.RedisChannelLayer"),
        "CONFIG": {"hosts": [_given["redis"]], "prefix": _given["prefix"], "capacity": 10_000},
        "ROUTING": "tests.worker.consumers.routing",
    }
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "[%(process)d] %(levelname)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
