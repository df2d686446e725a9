"""What the reactor asks for a protocol, for each connection that it accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet import reactor
from twisted.internet.interfaces import IProtocolNegotiationFactory
from twisted.internet.protocol import Protocol
from twisted.web import http
from zope.interface import implementer

from channels_lts.interface.channel import Channel

if TYPE_CHECKING:
    from channels_lts.interface.server import Server


@implementer(IProtocolNegotiationFactory)
class Factory(http.HTTPFactory):
    """Makes the connections. Without HTTP/2 there is nothing to negotiate, and no proxy object for each connection."""

    def __init__(self, server: Server) -> None:
        super().__init__(timeout=None)
        self.server = server

    def buildProtocol(self, addr: Any) -> Protocol:
        if not http.H2_ENABLED:
            channel = Channel()
            channel.factory = self
            return channel
        from channels_lts.interface.http2 import Http2Request, Negotiated

        protocol = Negotiated(Channel())
        protocol.factory = self
        protocol.requestFactory = Http2Request
        protocol.callLater, protocol.timeOut = reactor.callLater, None
        return protocol

    def startFactory(self) -> None:
        pass

    def stopFactory(self) -> None:
        pass

    def log(self, request: Any) -> None:
        pass

    def acceptableProtocols(self) -> list[bytes]:
        """What TLS may negotiate."""
        return [b"h2", b"http/1.1"] if http.H2_ENABLED else [b"http/1.1"]
