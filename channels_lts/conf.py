"""Every default of this package, and the one reader of the ``CHANNELS_LTS`` setting."""

from __future__ import annotations

from typing import Any

from django.conf import settings

DEFAULTS: dict[str, Any] = {
    # Origins that may open a WebSocket: "https://chat.example.com", or host patterns as in ALLOWED_HOSTS.
    # None: the hosts in ALLOWED_HOSTS.
    "ALLOWED_ORIGINS": None,
    # Seconds between two signs of life of a worker, and how long one counts.
    "HEARTBEAT_INTERVAL": 3,
    "HEARTBEAT_EXPIRY": 10,
    # Seconds that `manage.py check` waits for Redis.
    "CHECK_TIMEOUT": 2,
}


def get(name: str) -> Any:
    """Return setting *name* from ``CHANNELS_LTS``, or its default.

    Raises:
        KeyError: there is no setting of this name.
    """
    default = DEFAULTS[name]
    return getattr(settings, "CHANNELS_LTS", {}).get(name, default)
