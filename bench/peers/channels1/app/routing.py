from channels.routing import route

from app import consumers

channel_routing = [
    route("websocket.connect", consumers.connect_member, path=r"^/member$"),
    route("websocket.connect", consumers.connect),
    route("websocket.receive", consumers.echo, path=r"^/echo$"),
    route("websocket.receive", consumers.publish, path=r"^/publish$"),
    route("websocket.receive", consumers.burst, path=r"^/burst$"),
    route("websocket.disconnect", consumers.disconnect_member, path=r"^/member$"),
    route("websocket.disconnect", consumers.disconnect),
]
