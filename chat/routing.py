"""The channels of the chat and who consumes them. Paths are matched as they come, so every pattern has both ends."""

from __future__ import annotations

from channels import include, route, route_class

from chat import consumers, datagrams, health, jobs, metrics, poll, presence, reminders, waiting
from chat.streams import ChatDemultiplexer

echo_routing = [
    route("websocket.connect", consumers.echo_connect),
    route("websocket.receive", consumers.echo),
    route("websocket.disconnect", consumers.echo_disconnect),
]

_POLL_PATH = r"^/poll/(?P<slug>[^/]+)/$"

channel_routing = [
    include(echo_routing, path=r"^/ws/echo/$"),
    consumers.RoomConsumer.as_route(path=r"^/ws/chat/(?P<slug>[^/]+)/$"),
    route_class(ChatDemultiplexer, path=r"^/ws/$"),
    route("websocket.connect", consumers.refuse, path=r"^/ws/"),
    route("http.request", health.healthz, path=r"^/healthz$"),
    route("http.request", metrics.metrics, path=r"^/metrics$"),
    route("http.request", poll.poll, path=_POLL_PATH),
    route("http.drain", poll.poll_ending, path=_POLL_PATH),
    route("http.disconnect", poll.poll_gone, path=_POLL_PATH),
    # Once one of them has a consumer, all of them need one.
    route("http.disconnect", poll.ignore),
    route(jobs.CHANNEL, jobs.make_thumbnail),
    route(waiting.CHANNEL, waiting.too_late),
    route(reminders.CHANNEL, reminders.due),
    route("udp.receive", datagrams.datagram),
    route("interface.gone", presence.interface_gone),
]
