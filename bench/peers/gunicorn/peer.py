"""gunicorn with one sync worker: Django over WSGI, without any channel layer. HTTP only."""

from __future__ import annotations

from bench.peers import FOLDER, Peer

PEERS = [
    Peer(
        name="gunicorn",
        title="gunicorn, 1 sync worker",
        environment="gunicorn",
        folder=FOLDER / "gunicorn",
        directory=FOLDER / "channels4",
        interface=(
            "{bin}/gunicorn", "--workers", "1", "--worker-class", "sync", "--bind", "127.0.0.1:{port}",
            "--log-level", "warning", "app.wsgi:application",
        ),
        scenarios=frozenset({"http"}),
        packages=("Django", "gunicorn"),
        needs_redis=False,
    )
]  # fmt: skip
