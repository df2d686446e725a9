"""Every default of this package, and the one reader of the ``CHANNELS_LTS`` setting."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

DEFAULTS: dict[str, Any] = {
    # Origins that may open a WebSocket: "https://chat.example.com", or host patterns as in ALLOWED_HOSTS.
    # None: the hosts in ALLOWED_HOSTS.
    "ALLOWED_ORIGINS": None,
    # Seconds between two signs of life of a worker or an interface server, and how long one of a worker counts.
    "HEARTBEAT_INTERVAL": 2,
    "HEARTBEAT_EXPIRY": 7,
    # Seconds that `manage.py check` waits for Redis.
    "CHECK_TIMEOUT": 2,
    # From when on `manage.py channelstatus` calls it a problem: percent of a queue's capacity, seconds that its oldest
    # message has waited, seconds that a worker has been busy with one message.
    "STATUS_FULL": 80,
    "STATUS_LATE": 10,
    "STATUS_BUSY": 60,
    # --- Channel layer ---
    # Items that one process's own list holds: the replies and group messages to all its sockets.
    "PROCESS_CAPACITY": 20_000,
    # Seconds between two announcements of a process and its groups, and after how many a silent one is forgotten.
    # Together with HEARTBEAT_INTERVAL: below ten seconds in all, with room for a consumer that tells people.
    "ANNOUNCE_INTERVAL": 2,
    "PROCESS_EXPIRY": 7,
    # Seconds without an answer after which a connection to Redis counts as dead. Added to the time a pop may block.
    "REDIS_TIMEOUT": 4,
    # Messages that a worker takes at once when there is a backlog.
    "WORKER_BATCH": 16,
    # --- Worker: each is the default of a flag of runworker ---
    # Seconds after the first signal in which consumers may finish; then what was not begun goes back, and all ends.
    "STOP_TIMEOUT": 50,
    # Seconds after which a consumer that still runs is logged with its stack. 0: never.
    "CONSUMER_TIMEOUT": 0,
    # Messages, and MiB of resident memory, after which a worker finishes and ends, to be started afresh. 0: never.
    "MAX_MESSAGES": 0,
    "MAX_RSS": 0,
    # --- Channel sessions ---
    # Seconds that the session of a socket is kept after it was last written. Above WEBSOCKET_TIMEOUT.
    "CHANNEL_SESSION_EXPIRY": 90_000,
    # --- Interface server: each is the default of a flag ---
    # Seconds: until a worker must have answered a request; that a WebSocket may live, and may wait for its accept. -1:
    # for ever.
    "HTTP_TIMEOUT": 120,
    "WEBSOCKET_TIMEOUT": 86_400,
    "WEBSOCKET_CONNECT_TIMEOUT": 20,
    # Seconds of silence from a browser before it is pinged, and how long the pong may take.
    "PING_INTERVAL": 20,
    "PING_TIMEOUT": 30,
    # Bytes of one WebSocket message, of one frame, of one request's body, and of what waits for one slow socket.
    "WEBSOCKET_MAX_MESSAGE_SIZE": 1_048_576,
    "WEBSOCKET_MAX_FRAME_SIZE": 1_048_576,
    "REQUEST_BODY_LIMIT": 11_534_336,
    "SEND_BUFFER_LIMIT": 1_048_576,
    # Bytes that wait for one slow client of a response that comes in parts; then it is cut off.
    "RESPONSE_BUFFER_LIMIT": 67_108_864,
    # Connections at once from one address, and messages a second on one WebSocket. 0: no limit.
    "MAX_CONNECTIONS_PER_ADDRESS": 0,
    "MESSAGE_RATE": 0,
    # Proxies in front whose X-Forwarded-* headers are believed.
    "TRUSTED_PROXIES": 0,
    # Seconds that frames wait in an interface server while Redis is away. 0: their sockets are closed at once.
    "HOLD_FRAMES": 15,
    # Seconds in which a request must have arrived whole.
    "REQUEST_HEADER_TIMEOUT": 20,
    # Seconds that an interface server takes to end its connections after SIGTERM.
    "DRAIN_TIMEOUT": 25,
    # Milliseconds, from and to, over which sockets that are sent away spread their return.
    "RECONNECT_AFTER": (500, 5000),
    # --- UDP interface server: each is the default of a flag of runudp ---
    # Bytes of a datagram, and seconds that the end of the process waits for replies to what it has handed over.
    "UDP_MAX_SIZE": 8192,
    "UDP_DRAIN_TIMEOUT": 5,
}


def get(name: str) -> Any:
    """Return setting *name* from ``CHANNELS_LTS``, or its default; that too where Django is not configured.

    Raises:
        KeyError: there is no setting of this name.
    """
    default = DEFAULTS[name]
    try:
        return getattr(settings, "CHANNELS_LTS", {}).get(name, default)
    except ImproperlyConfigured:
        # A plain Python process that sends by the channel layer has no settings at all.
        return default
