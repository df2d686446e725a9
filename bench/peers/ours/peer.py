"""Ours: this checkout's channel layer, interface server and worker, on the LTS lock."""

from __future__ import annotations

from bench.peers import FOLDER, Peer

PEERS = [
    Peer(
        name="ours",
        title="channels_lts",
        environment="ours",
        folder=FOLDER / "ours",
        directory=FOLDER / "channels1",
        pip_options=("--no-deps", "--require-hashes"),
        interface=(
            "{bin}/python", "-m", "channels_lts.interface", "-v", "0", "-b", "127.0.0.1", "-p", "{port}",
            "app.asgi:channel_layer",
        ),
        worker=("{bin}/python", "manage.py", "runworker", "-v", "0"),
        variables={
            "PYTHONPATH": "{root}",
            "BENCH_APPS": "channels_lts,channels",
            "BENCH_LAYER": "channels_lts.layer.RedisChannelLayer",
            "BENCH_REDIS": "redis://127.0.0.1:{redis}/0",
        },
        packages=("Django", "channels", "daphne", "asgi-redis", "redis", "hiredis", "msgpack", "Twisted", "autobahn"),
    )
]  # fmt: skip
