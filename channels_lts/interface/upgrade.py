"""From a request to a WebSocket: the handshake is checked, then the transport changes hands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.protocols.policies import ProtocolWrapper

from channels_lts.interface import handshake
from channels_lts.interface.headers import BadRequest
from channels_lts.interface.websocket import WebSocket

if TYPE_CHECKING:
    from channels_lts.interface.http import Request


def upgrade(request: Request, scope: dict[str, Any]) -> None:
    """Make *request*'s connection a WebSocket, or answer it where the handshake is not a good one."""
    head, server, channel = request.head, request.server, request.channel
    if server.draining:
        # It came on a connection from before. Who comes back finds another server, or the next one.
        request.refuse(503, "the server restarts", ("Retry-After", "1"))
        return
    try:
        if head.length != 0:
            raise BadRequest("a request to upgrade has no body")
        wish = handshake.read(
            head.method, head.headers, http_version=head.version, subprotocols=server.options.ws_protocols
        )
    except handshake.BadHandshake as error:
        server.count("bad_requests")
        request.refuse(error.status, str(error), *error.headers)
        return
    scope["scheme"] = "wss" if scope["scheme"] == "https" else "ws"
    transport = channel.transport
    rest, address = channel.hand_over()
    request.handed_over()
    socket = WebSocket(server, scope, key=wish.key, subprotocol=wish.subprotocol)
    socket.counted_address = address or request.counted
    if isinstance(transport, ProtocolWrapper):
        # TLS is a protocol around ours.
        transport.wrappedProtocol = socket
    else:
        transport.protocol = socket
    server.count("websockets")
    socket.makeConnection(transport)
    if rest:
        socket.dataReceived(rest)
