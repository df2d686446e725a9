"""Send to everybody's browser from a plain Python process: no Django settings, no database, only the channel layer.

python docs/examples/plain_python.py redis://127.0.0.1:6379/0 "The backup has finished."
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime

from channels_lts import compat

# First: asgi_redis needs it to be importable on the LTS set.
compat.install()

import asgi_redis  # noqa: E402

from channels_lts.layer import RedisChannelLayer  # noqa: E402


def announce(redis_url: str, prefix: str, text: str, *, stock: bool) -> None:
    """Send *text* as an announcement to every socket on ``/ws/``."""
    layer = (asgi_redis.RedisChannelLayer if stock else RedisChannelLayer)(hosts=[redis_url], prefix=prefix)
    payload = {"type": "announcement", "text": text, "at": datetime.now(UTC).isoformat(), "room": None}
    # A reply channel takes {"text": ...}; the envelope is the one that the browser's websocketbridge.js expects.
    layer.send_group("everybody", {"text": json.dumps({"stream": "system", "payload": payload})})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("redis_url", help="as in REDIS_URL; redis:// or unix://")
    parser.add_argument("text")
    parser.add_argument("--prefix", default="chat:", help="the layer's prefix (default: %(default)s)")
    parser.add_argument("--stock", action="store_true", help="the deployment runs with CHANNEL_LAYER=stock")
    options = parser.parse_args()
    announce(options.redis_url, options.prefix, options.text, stock=options.stock)
