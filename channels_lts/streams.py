"""Many JSON streams on one WebSocket: Channels' multiplexed envelope, with an answer to every bad frame.

A frame is ``{"stream": NAME, "payload": {...}}`` in both directions, as in Channels 1.x, so that its browser library
``websocketbridge.js`` works unchanged. Every payload has a ``type``; a request may carry an ``id``, which the answer
repeats. What cannot be served is answered by ``{"type": "error", "id"?, "code", "reason"}`` on the stream it came in
on, or on ``system`` where there is none, and the socket stays open.
"""

from __future__ import annotations

import functools
import json
from typing import Any, TypeVar

from channels.exceptions import ChannelSocketException, ConsumeLater, DenyConnection, SendNotAvailableOnDemultiplexer
from channels.generic.websockets import JsonWebsocketConsumer, WebsocketDemultiplexer, WebsocketMultiplexer
from django.core.serializers.json import DjangoJSONEncoder

from channels_lts.exceptions import StreamError

__all__ = ["CODES", "Demultiplexer", "Multiplexer", "StreamConsumer", "StreamError", "encode", "field"]

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
    "internal": "The server failed; it has been logged.",
}

# How the payload's own id is limited, so that it can be repeated in every answer without cost.
MAX_ID_LENGTH = 64

_SYSTEM = "system"
_REQUIRED: Any = object()
_TYPE_NAMES = {str: "a string", int: "an integer", bool: "true or false", dict: "an object", list: "an array"}

T = TypeVar("T")


class Multiplexer(WebsocketMultiplexer):
    """Sends to one stream of one socket. JSON is compact, and text other than ASCII travels as itself."""

    @classmethod
    def encode_json(cls, content: Any) -> str:
        return json.dumps(content, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))


def encode(stream: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Return the channel message that carries *payload* on *stream*: for ``Group.send`` and ``Channel.send``."""
    return Multiplexer.encode(stream, payload)


def field(
    payload: dict[str, Any],
    name: str,
    kind: type[T],
    *,
    default: Any = _REQUIRED,
    max_length: int | None = None,
    minimum: int | None = None,
) -> T:
    """Return field *name* of *payload*, which must be of type *kind*.

    A missing field gives *default* where there is one. *max_length* counts characters of a string; *minimum* bounds an
    integer. Strings with a NUL or an unpaired surrogate are refused: databases and UTF-8 cannot hold them.

    Raises:
        StreamError: ``bad_field``, or ``too_large`` where a string exceeds *max_length*.
    """
    if name not in payload:
        if default is _REQUIRED:
            raise StreamError("bad_field", f"{name} is missing")
        return default
    value = payload[name]
    # bool is an int for Python, but not for people who write JSON.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise StreamError("bad_field", f"{name} must be {_TYPE_NAMES.get(kind, kind.__name__)}")
    if isinstance(value, str):
        if max_length is not None and len(value) > max_length:
            raise StreamError("too_large", f"{name} has {len(value)} characters, at most {max_length} are allowed")
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise StreamError("bad_field", f"{name} holds a NUL or an unpaired surrogate")
    if isinstance(value, int) and minimum is not None and value < minimum:
        raise StreamError("bad_field", f"{name} must be at least {minimum}")
    # 64 bits are what databases hold.
    if isinstance(value, int) and value >= 2**63:
        raise StreamError("bad_field", f"{name} is too large")
    return value


def request_id(payload: Any) -> str | int | None:
    """Return the id of a request that the answer repeats; None where there is none, or none that could be repeated."""
    value = payload.get("id") if isinstance(payload, dict) else None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    if isinstance(value, str) and len(value) <= MAX_ID_LENGTH and value.isprintable():
        return value
    return None


class Demultiplexer(WebsocketDemultiplexer):
    """Channels' ``WebsocketDemultiplexer`` with answers to bad frames; its ``consumers = {...}`` works unchanged.

    A stream's consumer class is not changed: what stops it from sending outside its stream is a subclass of our own.
    An exception in a stream is answered by the error ``internal`` and then raised, so that the worker logs it.
    """

    multiplexer_class = Multiplexer

    def authorize(self, message: Any, **kwargs: Any) -> None:
        """Raise ``DenyConnection`` to refuse the handshake with 403. Runs before anything is accepted."""

    def connect(self, message: Any, **kwargs: Any) -> None:
        self.authorize(message, **kwargs)
        message.reply_channel.send({"accept": True})
        self._forward_to_all(message, **kwargs)

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
        try:
            self._forward(stream, payload, **kwargs)
        except StreamError as error:
            self.send_error(stream, error, payload)
        except (ConsumeLater, DenyConnection, ChannelSocketException):
            raise
        except Exception:
            self.send_error(stream, StreamError("internal", CODES["internal"]), payload)
            raise

    def send_error(self, stream: str, error: StreamError, request: Any = None) -> None:
        """Answer with *error* on *stream*, repeating the id of *request* where it has one."""
        payload: dict[str, Any] = {"type": "error", "code": error.code, "reason": error.reason}
        if (identifier := request_id(request)) is not None:
            payload["id"] = identifier
        self.multiplexer_class(stream, self.message.reply_channel).send(payload)

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
        # Upstream's consumers read the payload as the text of the message.
        self.message.content["text"] = json.dumps(payload)
        self._call(stream, self.message, **kwargs)

    def _forward_to_all(self, message: Any, **kwargs: Any) -> None:
        for stream in self.consumers:
            self._call(stream, message, **kwargs)

    def _call(self, stream: str, message: Any, **kwargs: Any) -> None:
        kwargs["multiplexer"] = self.multiplexer_class(stream, message.reply_channel)
        consumer = self.consumers[stream]
        if isinstance(consumer, type) and hasattr(consumer, "send"):
            consumer = _without_send(consumer)
        consumer(message, **kwargs)


class StreamConsumer(JsonWebsocketConsumer):
    """One stream of a :class:`Demultiplexer`: a payload of type ``join`` calls ``type_join(payload)``.

    ``self.message`` is the socket's message, with the user and sessions that the demultiplexer asked for. Override
    ``connect(message, **kwargs)`` and ``disconnect(message, **kwargs)`` to hear of the socket's beginning and end.
    """

    _request: dict[str, Any] | None = None

    @property
    def multiplexer(self) -> Multiplexer:
        return self.kwargs["multiplexer"]

    def connect(self, message: Any, **kwargs: Any) -> None:
        """Called when the socket opened; the demultiplexer has accepted it already."""

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
