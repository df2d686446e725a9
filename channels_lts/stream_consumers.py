"""One stream of a demultiplexer: a method for each type of payload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channels.generic.websockets import JsonWebsocketConsumer

from channels_lts.exceptions import StreamError
from channels_lts.payloads import MAX_ID_LENGTH, field, request_id

if TYPE_CHECKING:
    from channels_lts.streams import Multiplexer


class StreamConsumer(JsonWebsocketConsumer):
    """One stream of a :class:`~channels_lts.streams.Demultiplexer`: a payload of type ``join`` calls
    ``type_join(payload)``.

    ``self.message`` has the user and sessions that the demultiplexer asked for. Override ``connect(message, **kwargs)``
    and ``disconnect(message, **kwargs)`` to hear of the socket's beginning and end, and ``authorize`` to say who may
    use the stream.
    """

    _request: dict[str, Any] | None = None

    @property
    def multiplexer(self) -> Multiplexer:
        return self.kwargs["multiplexer"]

    @classmethod
    def authorize(cls, message: Any, **kwargs: Any) -> None:
        """Raise StreamError to keep a socket from this stream, or ``DenyConnection`` to refuse its handshake with 403.

        Called with the handshake, before anything is accepted, and with each frame, before it is handed over: *message*
        has the user and sessions that the demultiplexer asked for.
        """

    def connect(self, message: Any, **kwargs: Any) -> None:
        """Called when the socket opens: what is sent here follows the acceptance. ``DenyConnection`` refuses it."""

    def receive(self, content: dict[str, Any], **kwargs: Any) -> None:
        """Call the method of the payload's type.

        Raises:
            StreamError: the type is missing or unknown, or the method refused the payload.
        """
        self._request = content
        kind = field(content, "type", str)
        handler = getattr(self, f"type_{kind}", None)
        if handler is None:
            raise StreamError("unknown_type", f"this stream does not know the type {kind[:MAX_ID_LENGTH]!r}")
        handler(content)

    def reply(self, kind: str, **fields: Any) -> None:
        """Send a payload of type *kind* to this socket, with the id of the request that is being served."""
        payload = {"type": kind, **fields}
        if "id" not in payload and (identifier := request_id(self._request)) is not None:
            payload["id"] = identifier
        self.multiplexer.send(payload)
