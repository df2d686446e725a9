"""Socket.IO 4 with @socket.io/redis-adapter on Node. Its HTTP is no Django view, so that is not compared."""

from __future__ import annotations

from bench.peers import FOLDER, Peer

_PATH = "/socket.io/?EIO=4&transport=websocket&role="

PEERS = [
    Peer(
        name="socketio",
        title="Socket.IO + Redis adapter",
        environment="socketio",
        built_by="npm",
        folder=FOLDER / "socketio",
        directory=FOLDER / "socketio",
        interface=("node", "{environment}/server.js", "{port}", "{redis}"),
        variables={"NODE_ENV": "production"},
        scenarios=frozenset({"fanout", "burst", "echo", "storm", "memory"}),
        dialect={
            "greeting": "40",
            "greeted": "40",
            "before": '42["m","',
            "publish": '42["p","',
            "incoming": '42["m","',
            "after": '"]',
            "ping": "2",
            "pong": "3",
            "path_echo": _PATH + "echo",
            "path_member": _PATH + "member",
            "path_publish": _PATH + "publish",
            "path_burst": _PATH + "burst",
        },
        packages=("socket.io", "@socket.io/redis-adapter", "redis", "ws", "bufferutil"),
    )
]
