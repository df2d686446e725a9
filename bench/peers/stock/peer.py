"""Channels 1.1.8 as it was: Daphne 1.4.2, asgi_redis, stock runworker, on what plain pip resolves.

The application is ours, file for file. Of channels_lts it has the shims alone, without which nothing of it starts on a
supported Python.
"""

from __future__ import annotations

from bench.peers import FOLDER, Peer

PEERS = [
    Peer(
        name="stock",
        title="Channels 1.1.8",
        environment="stock",
        folder=FOLDER / "stock",
        directory=FOLDER / "channels1",
        interface=("{bin}/daphne", "-v", "0", "-b", "127.0.0.1", "-p", "{port}", "app.asgi:channel_layer"),
        worker=("{bin}/python", "manage.py", "runworker", "-v", "0"),
        variables={
            "PYTHONPATH": "{root}",
            "BENCH_APPS": "channels",
            "BENCH_LAYER": "asgi_redis.RedisChannelLayer",
            "BENCH_REDIS": "redis://127.0.0.1:{redis}/0",
        },
        packages=("Django", "channels", "daphne", "asgi-redis", "redis", "msgpack-python", "Twisted", "autobahn"),
    )
]
