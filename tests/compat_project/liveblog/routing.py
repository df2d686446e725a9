from channels import route, route_class

from liveblog import consumers

channel_routing = [
    route_class(consumers.Demultiplexer, path=r"^/entries/"),
    route("websocket.connect", consumers.connect, path=r"^/room/(?P<name>\w+)/$"),
    route("websocket.receive", consumers.receive),
    route("websocket.disconnect", consumers.disconnect),
    route("answer", consumers.answer),
    route("work", consumers.work),
]
