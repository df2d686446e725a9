"""``tests.interface.project:channel_layer``, what the interface servers of the tests import; from their environment."""

from __future__ import annotations

import json
import os
from typing import Any

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
from channels.routing import include, route  # noqa: E402


def consumer(message: object) -> None:
    """Never called: the tests are the worker."""


def _routing() -> list[Any]:
    plain = [route(channel, consumer) for channel in _given["consumers"]]
    if not _given["streams"]:
        return plain
    from channels_lts.streams import Demultiplexer

    class Streams(Demultiplexer):
        """What sockets at ``/streams...`` lead to."""

    class Broken:
        def channel_names(self) -> set[str]:
            return {"websocket.connect"}

        def match(self, message: Any) -> None:
            if message.get("path") == "/broken":
                raise RuntimeError("this route fails")

    held = route("http.drain", consumer, path=r"^/held")
    return [Broken(), include([Streams.as_route(path=r"/")], path=r"^/streams"), held, *plain]


routing = _routing()
channel_layer = get_channel_layer()
