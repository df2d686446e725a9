"""The channels of the deployment, and those of the consumers that misbehave, which the pool `background` serves."""

from __future__ import annotations

from channels import include, route, route_class

from my_project.routing import channel_routing as shipped
from tests.faults import bad, quiet

quiet_routing = [
    route("websocket.connect", quiet.connect),
    route("websocket.receive", quiet.receive),
    route("websocket.disconnect", quiet.disconnect),
]

channel_routing = [
    # Before the chat's, which refuses what it does not know below /ws/.
    route_class(bad.BadStreams, path=r"^/ws/bad/$"),
    include(quiet_routing, path=r"^/ws/quiet/$"),
    route("bad.behaves", bad.behaves),
    route("bad.takes-long", bad.takes_long),
    route("bad.hangs", bad.hangs),
    route("bad.leaks", bad.leaks),
    route("bad.raises", bad.raises),
    route("bad.kills", bad.kills),
    route("bad.exits", bad.exits),
    include(shipped),
]
