"""Many JSON streams on one WebSocket: Channels' multiplexed envelope, with an answer to every bad frame.

A frame is ``{"stream": NAME, "payload": {...}}`` in both directions, as in Channels 1.x, so that its browser library
``websocketbridge.js`` works unchanged. Every payload has a ``type``; a request may carry an ``id``, which the answer
repeats. What cannot be served is answered by ``{"type": "error", "id"?, "code", "reason"}`` on the stream it came in
on, or on ``system`` where there is none, and the socket stays open.
"""

from __future__ import annotations

import copy
import functools
import json
from typing import Any

from channels.exceptions import ChannelSocketException, ConsumeLater, DenyConnection, SendNotAvailableOnDemultiplexer
from channels.generic.websockets import WebsocketDemultiplexer, WebsocketMultiplexer
from channels.message import pending_message_store
from django.core.serializers.json import DjangoJSONEncoder

from channels_lts.exceptions import StreamError
from channels_lts.numbered import Head, Heartbeat, NumberedStream, Stored
from channels_lts.payloads import MAX_ID_LENGTH, field, request_id
from channels_lts.stream_consumers import StreamConsumer

__all__ = [
    "CODES",
    "Demultiplexer",
    "Head",
    "Heartbeat",
    "Multiplexer",
    "NumberedStream",
    "Stored",
    "StreamConsumer",
    "StreamError",
    "encode",
    "failure_frame",
    "field",
    "request_id",
]

CODES = {
    "malformed": "The frame is not a text frame holding JSON.",
    "not_object": "The frame is not a JSON object with the keys stream and payload.",
    "unknown_stream": "No stream has this name.",
    "bad_payload": "The payload is not a JSON object.",
    "unknown_type": "The stream does not know this type of payload.",
    "bad_field": "A field is missing, of the wrong type or out of bounds.",
    "not_allowed": "You may not do this.",
    "not_found": "There is no such thing, or you may not know of it.",
    "too_large": "Something is larger than allowed.",
    "too_fast": "Too much in too short a time: again after retry_after_ms.",
    "internal": "The server failed; it has been logged.",
}

_SYSTEM = "system"


class Multiplexer(WebsocketMultiplexer):
    """Sends to one stream of one socket. JSON is compact, and text other than ASCII travels as itself."""

    @classmethod
    def encode_json(cls, content: Any) -> str:
        return json.dumps(content, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))


def encode(stream: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Return the channel message that carries *payload* on *stream*: for ``Group.send`` and ``Channel.send``."""
    return Multiplexer.encode(stream, payload)


def failure_frame(consumer: Any, message: Any) -> dict[str, Any] | None:
    """Return the channel message that answers *message*, whose *consumer* failed, by the error ``internal``.

    None where nobody expects one: *message* is no frame, or *consumer* no :class:`Demultiplexer`.
    """
    if not (isinstance(consumer, type) and issubclass(consumer, Demultiplexer)):
        return None
    if message.channel.name != "websocket.receive":
        return None
    # The demultiplexer may have failed before it knew.
    stream, request = getattr(message, "stream_request", (_SYSTEM, None))
    return consumer.multiplexer_class.encode(stream, _error_payload(_internal(), request))


class Demultiplexer(WebsocketDemultiplexer):
    """Channels' ``WebsocketDemultiplexer`` with answers to bad frames; its ``consumers = {...}`` works unchanged.

    A stream's consumer class is not changed: what stops it from sending outside its stream is a subclass of our own.
    A stream gets a message of its own for each frame, with the payload for its text and all else of the socket's.
    An exception in a stream is answered by the error ``internal`` and then raised, so that the worker logs it.
    """

    multiplexer_class = Multiplexer

    def authorize(self, message: Any, **kwargs: Any) -> None:
        """Raise ``DenyConnection`` to refuse the handshake with 403. Runs before any stream hears of it."""

    def authorize_stream(self, stream: str, message: Any, **kwargs: Any) -> None:
        """Raise StreamError to keep this socket from *stream*, or ``DenyConnection`` to refuse its handshake.

        Asked with the handshake: a stream that is kept from the socket does not hear of it. And with each frame, which
        then gets the error. By default this asks the stream's own consumer, where it is a :class:`StreamConsumer`.
        """
        consumer = self.consumers[stream]
        if isinstance(consumer, type) and issubclass(consumer, StreamConsumer):
            consumer.authorize(message, **kwargs)

    def connect(self, message: Any, **kwargs: Any) -> None:
        """Let every stream hear of the socket, and then accept it; what the streams sent follows the acceptance.

        Any stream may refuse the handshake by raising ``DenyConnection``: then nothing leaves but the refusal.
        """
        self.authorize(message, **kwargs)
        pending = _Pending()
        try:
            for stream in self.consumers:
                try:
                    self.authorize_stream(stream, message, **kwargs)
                except StreamError:
                    continue
                self._call(stream, message, **kwargs)
        except (ConsumeLater, ChannelSocketException, DenyConnection):
            pending.forget()
            raise
        except Exception:
            pending.forget()
            # For stock workers; ours drops this, and refuses by itself. Without a word the browser would wait for long.
            message.reply_channel.send({"close": True})
            raise
        pending.send_first(message.reply_channel, {"accept": True})

    def disconnect(self, message: Any, **kwargs: Any) -> None:
        self._forward_to_all(message, **kwargs)

    def raw_receive(self, message: Any, **kwargs: Any) -> None:
        try:
            content = self.decode_json(_text(message))
        except StreamError as error:
            self.send_error(_SYSTEM, error)
        # RecursionError: arrays nested a thousand deep.
        except (ValueError, RecursionError):
            self.send_error(_SYSTEM, StreamError("malformed", "the frame is not JSON"))
        else:
            self.receive(content, **kwargs)

    def receive(self, content: Any, **kwargs: Any) -> None:
        """Hand the payload of a decoded frame to the consumer of its stream."""
        try:
            stream, payload = self._split(content)
        except StreamError as error:
            fields = content if isinstance(content, dict) else {}
            stream = fields["stream"] if self._has_stream(fields.get("stream")) else _SYSTEM
            self.send_error(stream, error, fields.get("payload"))
            return
        self.message.stream_request = stream, payload
        try:
            self._authorize_frame(stream, **kwargs)
            self._forward(stream, payload, **kwargs)
        except StreamError as error:
            self.send_error(stream, error, payload)
        except (ConsumeLater, DenyConnection, ChannelSocketException):
            raise
        except Exception:
            # Our worker drops this with all else that was to leave, and sends what failure_frame() says.
            self.send_error(stream, _internal(), payload)
            raise

    def send_error(self, stream: str, error: StreamError, request: Any = None) -> None:
        """Answer with *error* on *stream*, repeating the id of *request* where it has one."""
        self.multiplexer_class(stream, self.message.reply_channel).send(_error_payload(error, request))

    def _authorize_frame(self, stream: str, **kwargs: Any) -> None:
        try:
            self.authorize_stream(stream, self.message, **kwargs)
        except DenyConnection:
            # There is no handshake to refuse any more.
            raise StreamError("not_allowed", "you may not use this stream") from None

    def _split(self, content: Any) -> tuple[str, dict[str, Any]]:
        if not isinstance(content, dict) or "stream" not in content or "payload" not in content:
            raise StreamError("not_object", "a frame is an object with the keys stream and payload")
        stream, payload = content["stream"], content["payload"]
        if not self._has_stream(stream):
            raise StreamError("unknown_stream", f"there is no stream {str(stream)[:MAX_ID_LENGTH]!r}")
        if not isinstance(payload, dict):
            raise StreamError("bad_payload", "the payload must be an object")
        return stream, payload

    def _has_stream(self, name: Any) -> bool:
        return isinstance(name, str) and name in self.consumers

    def _forward(self, stream: str, payload: dict[str, Any], **kwargs: Any) -> None:
        # Upstream's consumers read the payload as the text of the message. The frame stays as it came, for whoever puts
        # it back on its channel: ConsumeLater, or frames that wait for their turn.
        message = copy.copy(self.message)
        message.content = {**self.message.content, "text": json.dumps(payload)}
        message.frame_content = self.message.content
        self._call(stream, message, **kwargs)

    def _forward_to_all(self, message: Any, **kwargs: Any) -> None:
        for stream in self.consumers:
            self._call(stream, message, **kwargs)

    def _call(self, stream: str, message: Any, **kwargs: Any) -> None:
        kwargs["multiplexer"] = self.multiplexer_class(stream, message.reply_channel)
        consumer = self.consumers[stream]
        if isinstance(consumer, type) and hasattr(consumer, "send"):
            consumer = _without_send(consumer)
        consumer(message, **kwargs)


def _internal() -> StreamError:
    return StreamError("internal", CODES["internal"])


def _error_payload(error: StreamError, request: Any) -> dict[str, Any]:
    payload: dict[str, Any] = {"type": "error", **error.public()}
    if (identifier := request_id(request)) is not None:
        payload["id"] = identifier
    return payload


class _Pending:
    """What is to leave when the consumer that runs now has ended; outside of one, everything has left already."""

    def __init__(self) -> None:
        self._begin = len(self._messages)

    @property
    def _messages(self) -> list[Any]:
        return pending_message_store.threadlocal.messages if pending_message_store.active else []

    def forget(self) -> None:
        """Forget what was sent since this was made."""
        del self._messages[self._begin :]

    def send_first(self, channel: Any, message: dict[str, Any]) -> None:
        """Send *message* before all that was sent since this was made."""
        if pending_message_store.active:
            self._messages.insert(self._begin, (channel, message))
        else:
            channel.send(message)


def _text(message: Any) -> str:
    text = message.get("text")
    if text is None:
        raise StreamError("malformed", "streams carry text frames, this one was binary")
    return text


@functools.cache
def _without_send(consumer: type) -> type:
    """Return a subclass of *consumer* that cannot send outside its stream.

    Upstream assigns ``send`` to the consumer class itself, which breaks every other use of that class.
    """
    return type(consumer.__name__, (consumer,), {"send": _refuse_to_send, "__module__": consumer.__module__})


def _refuse_to_send(self: Any, *args: Any, **kwargs: Any) -> None:
    raise SendNotAvailableOnDemultiplexer("Use multiplexer.send of the multiplexer kwarg.")
