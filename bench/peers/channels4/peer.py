"""Channels 4, under Daphne 4 and under uvicorn, each with both of channels_redis' layers: the best of them counts."""

from __future__ import annotations

from bench.peers import ALL_SCENARIOS, FOLDER, Peer

_SERVERS = {
    "daphne": ("Daphne", ("{bin}/daphne", "-v", "0", "-b", "127.0.0.1", "-p", "{port}", "app.asgi:application")),
    "uvicorn": (
        "uvicorn",
        (
            "{bin}/uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--no-access-log", "--log-level", "warning",
            "app.asgi:application",
        ),
    ),
}  # fmt: skip
_LAYERS = {"core": "channels_redis.core.RedisChannelLayer", "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer"}

# redis-py 8 allows a pool 100 connections, and channels_redis 4.3 does not survive the error when 500 members want one.
_REDIS = "redis://127.0.0.1:{redis}/0?max_connections=20000"


def _peer(server: str, layer: str) -> Peer:
    title, command = _SERVERS[server]
    return Peer(
        name=f"channels4-{server}" + ("" if layer == "core" else f"-{layer}"),
        title=f"Channels 4 + {title}" + ("" if layer == "core" else ", pub/sub"),
        environment="channels4",
        folder=FOLDER / "channels4",
        directory=FOLDER / "channels4",
        interface=command,
        variables={"BENCH_LAYER": _LAYERS[layer], "BENCH_REDIS": _REDIS},
        # Only groups go through the layer.
        scenarios=ALL_SCENARIOS if layer == "core" else frozenset({"fanout", "burst", "memory"}),
        packages=(
            "Django", "channels", "channels_redis", "daphne", "uvicorn", "uvloop", "httptools", "websockets", "redis",
            "hiredis", "msgpack", "Twisted", "autobahn",
        ),
    )  # fmt: skip


PEERS = [_peer(server, layer) for server in _SERVERS for layer in _LAYERS]
