"""The least that a server can do, in C: shows what the load client itself can count. No peer, a yardstick."""

from __future__ import annotations

from bench.peers import FOLDER, Peer

PEERS = [
    Peer(
        name="echo",
        title="load client alone (C echo)",
        environment="client",
        built_by="cc",
        folder=FOLDER / "echo",
        directory=FOLDER / "echo",
        interface=("{environment}/echo", "{port}"),
        scenarios=frozenset({"fanout", "echo", "http", "storm"}),
        needs_redis=False,
        yardstick=True,
    )
]
