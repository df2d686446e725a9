"""The interface server's options: one table, from which the command line, the checks of values and the object are made.

Defaults are in :mod:`channels_lts.conf` and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured

from channels_lts import conf
from channels_lts.exceptions import ChannelsLTSError


class OptionError(ChannelsLTSError, ValueError):
    """Raised for a value that an option cannot have; the message names option, value and what was expected."""


class Kind(NamedTuple):
    """What values an option takes, in words and as a test. A *span* is two of them, as ``(1, 2)`` or ``"1-2"``."""

    expected: str
    accepts: Callable[[float], bool]
    whole: bool = False
    span: bool = False


SECONDS = Kind("a positive number of seconds", lambda value: value > 0)
SECONDS_OR_NEVER = Kind("a positive number of seconds, or -1 for no limit", lambda value: value > 0 or value == -1)
SECONDS_OR_ZERO = Kind("a number of seconds, 0 or more", lambda value: value >= 0)
BYTES = Kind("a positive number of bytes", lambda value: value > 0, whole=True)
COUNT = Kind("a whole number, 0 or more", lambda value: value >= 0, whole=True)
RATE = Kind("a number, 0 or more", lambda value: value >= 0)
MILLISECONDS_SPAN = Kind(
    "two whole numbers of milliseconds, the smaller first, such as 500-5000",
    lambda value: value >= 0,
    whole=True,
    span=True,
)


class Option(NamedTuple):
    kind: Kind
    flags: tuple[str, ...]
    help: str


OPTIONS: dict[str, Option] = {
    "HTTP_TIMEOUT": Option(
        SECONDS,
        ("-t", "--http-timeout"),
        "Seconds until a worker must have begun to answer, and between two parts of an answer.",
    ),
    "WEBSOCKET_TIMEOUT": Option(
        SECONDS_OR_NEVER, ("--websocket-timeout",), "Seconds that a WebSocket may live. -1: for ever."
    ),
    "WEBSOCKET_CONNECT_TIMEOUT": Option(
        SECONDS_OR_NEVER,
        ("--websocket-connect-timeout",),
        "Seconds until a consumer must accept a WebSocket. -1: for ever.",
    ),
    "PING_INTERVAL": Option(SECONDS, ("--ping-interval",), "Seconds of silence from a browser before it is pinged."),
    "PING_TIMEOUT": Option(SECONDS, ("--ping-timeout",), "Seconds that its answer to a ping may take."),
    "WEBSOCKET_MAX_MESSAGE_SIZE": Option(
        BYTES, ("--websocket-max-message-size",), "Bytes of one WebSocket message; larger ones close with 1009."
    ),
    "WEBSOCKET_MAX_FRAME_SIZE": Option(
        BYTES, ("--websocket-max-frame-size",), "Bytes of one WebSocket frame; larger ones close with 1009."
    ),
    "MAX_CONNECTIONS_PER_ADDRESS": Option(
        COUNT, ("--max-connections-per-address",), "Connections at once from one address; more get 503. 0: no limit."
    ),
    "MESSAGE_RATE": Option(
        RATE, ("--message-rate",), "Messages a second on one WebSocket, averaged; more close with 1008. 0: no limit."
    ),
    "SEND_BUFFER_LIMIT": Option(
        BYTES, ("--send-buffer-limit",), "Bytes that may wait for one slow WebSocket; more close with 1013."
    ),
    "RESPONSE_BUFFER_LIMIT": Option(
        BYTES,
        ("--response-buffer-limit",),
        "Bytes of a response in parts that may wait for one slow client; it is cut off at more.",
    ),
    "REQUEST_BODY_LIMIT": Option(BYTES, ("--request-body-limit",), "Bytes of one request's body; more get 413."),
    "REQUEST_HEADER_TIMEOUT": Option(
        SECONDS, ("--request-header-timeout",), "Seconds for a request's head, and between two parts of its body."
    ),
    "DRAIN_TIMEOUT": Option(SECONDS_OR_ZERO, ("--drain-timeout",), "Seconds to end all connections in, after SIGTERM."),
    "RECONNECT_AFTER": Option(
        MILLISECONDS_SPAN,
        ("--reconnect-after",),
        "Milliseconds, from and to, over which sockets that are sent away spread their return.",
    ),
    "TRUSTED_PROXIES": Option(
        COUNT, ("--trusted-proxies",), "Proxies in front whose X-Forwarded-* headers are believed. --proxy-headers: 1."
    ),
}


def parse(name: str, value: Any, label: str) -> Any:
    """Return *value*, a number or text, as the number that option *name* takes; *label* is what an error calls it.

    Of a span the result is a tuple of two numbers.

    Raises:
        OptionError: it is not one.
    """
    kind = OPTIONS[name].kind
    try:
        if not kind.span:
            return _number(value, kind)
        least, most = (_number(part, kind) for part in (value.split("-") if isinstance(value, str) else value))
        if least > most:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise OptionError(f"{label} must be {kind.expected}, not {value!r}") from None
    return least, most


def _number(value: Any, kind: Kind) -> float | int:
    number = float(value)
    if isinstance(value, bool) or not math.isfinite(number):
        raise ValueError
    if number.is_integer():
        number = int(number)
    elif kind.whole:
        raise ValueError
    if not kind.accepts(number):
        raise ValueError
    return number


class Options:
    """The values in force, by the lower-case name of the setting: ``options.ping_interval``."""

    __slots__ = (*(name.lower() for name in OPTIONS), "root_path", "ws_protocols")

    http_timeout: float
    websocket_timeout: float
    websocket_connect_timeout: float
    ping_interval: float
    ping_timeout: float
    websocket_max_message_size: int
    websocket_max_frame_size: int
    max_connections_per_address: int
    message_rate: float
    send_buffer_limit: int
    response_buffer_limit: int
    request_body_limit: int
    request_header_timeout: float
    drain_timeout: float
    reconnect_after: tuple[int, int]
    trusted_proxies: int
    root_path: str
    ws_protocols: tuple[str, ...]

    def __init__(self, *, root_path: str = "", ws_protocols: Any = (), **values: Any) -> None:
        """Take *values* by lower-case name; what is missing or None comes from the settings.

        Raises:
            OptionError: a value is not one that its option takes.
            TypeError: there is no such option.
        """
        for name in OPTIONS:
            key = name.lower()
            value = values.pop(key, None)
            if value is None:
                setattr(self, key, parse(name, default(name), f'CHANNELS_LTS["{name}"]'))
            else:
                setattr(self, key, parse(name, value, key))
        if values:
            raise TypeError(f"there is no option {', '.join(sorted(values))}")
        self.root_path = root_path
        self.ws_protocols = tuple(ws_protocols or ())


def default(name: str) -> Any:
    """Return the setting *name*. Without Django settings, which a layer of another kind may do without, its default."""
    try:
        return conf.get(name)
    except ImproperlyConfigured:
        return conf.DEFAULTS[name]
