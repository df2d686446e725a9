"""``tests.interface.project:channel_layer``, what the interface servers of the tests import; from their environment."""

from __future__ import annotations

import json
import os

from django.conf import settings

from channels_lts import compat

_given = json.loads(os.environ["INTERFACE_TEST"])
if not settings.configured:
    settings.configure(
        CHANNEL_LAYERS={
            "default": {
                "BACKEND": _given["backend"],
                "CONFIG": _given["config"],
                "ROUTING": "tests.interface.project.routing",
            }
        },
        CHANNELS_LTS=_given["settings"],
        LOGGING=_given["logging"],
        INSTALLED_APPS=["channels_lts", "channels"],
        SECRET_KEY="tests",
        USE_TZ=True,
    )
compat.install()

from channels.asgi import get_channel_layer  # noqa: E402
from channels.routing import route  # noqa: E402


def consumer(message: object) -> None:
    """Never called: the tests are the worker."""


routing = [route(channel, consumer) for channel in _given["consumers"]]
channel_layer = get_channel_layer()
