"""The chat as it is measured: Redis, two interface servers and two workers, on a database with messages in it."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import environment, load, processes
from bench.chat import databases
from bench.deployment import Deployment
from bench.peers import Peer

INTERFACES = WORKERS = 2
DATABASES: dict[str, Callable[[Path], contextlib.AbstractContextManager[str]]] = {
    "PostgreSQL": databases.postgresql,
    "SQLite": databases.sqlite,
}
# What a message says: 64 bytes.
_TEXT = "x" * 64


class Failed(Exception):
    """Raised when a program of the chat's own Django fails; the message is the end of what it said."""


@dataclass(frozen=True)
class Site:
    """A database full of messages, and the environment in which the chat runs on it."""

    python: Path
    directory: Path
    variables: Mapping[str, str]

    def run(self, *arguments: str | Path, timeout: float = 600) -> str:
        """Run Python with the chat's Django; returns what it wrote.

        Raises:
            Failed: it did not end well.
        """
        variables = processes.variables({**self.variables, "REDIS_URL": "redis://127.0.0.1:1/0"})
        done = subprocess.run(  # noqa: S603  (our own programs)
            [self.python, *arguments], cwd=environment.ROOT, env=variables, check=False, timeout=timeout, text=True,
            capture_output=True,
        )  # fmt: skip
        if done.returncode:
            raise Failed(f"{' '.join(map(str, arguments[:2]))}: {done.stderr[-1500:]}")
        return done.stdout

    def commits(self, seconds: float) -> float:
        """Return how many messages a second the database stores by itself, over two connections."""
        given = ["--seconds", str(seconds)]
        if self.variables["DATABASE_URL"].startswith("postgres"):
            given += ["--pgbench", str(databases.program("pgbench"))]
        return float(json.loads(self.run("-m", "bench.chat.inside.commits", *given))["rate"])

    @contextlib.contextmanager
    def deployment(self) -> Iterator[Deployment]:
        """The chat, running."""
        peer = Peer(
            name="chat",
            title="the chat",
            environment="ours",
            directory=environment.ROOT,
            interface=(
                "{bin}/python", "-m", "channels_lts.interface", "-v", "0", "-b", "127.0.0.1", "-p", "{port}",
                "my_project.asgi:channel_layer",
            ),
            ready="/healthz",
            worker=("{bin}/python", "manage.py", "runworker", "-v", "0"),
            variables={**self.variables, "REDIS_URL": "redis://127.0.0.1:{redis}/0"},
        )  # fmt: skip
        with Deployment(peer, self.python.parent.parent, interfaces=INTERFACES, workers=WORKERS) as running:
            yield running

    def measure(self, running: Deployment, client: Path, people: str, **options: Any) -> dict[str, Any]:
        """Run one phase of the load client; ``cpu`` has what the processes used of a core meanwhile."""
        given = {"people": self.directory / people, "size": 8, "after": f'","body":"{_TEXT}"}}}}', **options}
        with load.Load(client, "chat", ports=running.ports, options=given) as client_process:
            for _ in client_process.ready():
                before = running.snapshot()
                phase = client_process.go()
                _, phase["cpu"], _ = running.since(before)
                break
            else:
                raise load.ClientError("the load client had nothing to measure")
        phase["tracebacks"] = running.tracebacks()
        return phase


@contextlib.contextmanager
def site(name: str, python: Path, directory: Path, messages: int) -> Iterator[Site]:
    """A new database of the kind *name*, with *messages* in it.

    Raises:
        Absent: this machine has no such database.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with DATABASES[name](directory) as url:
        variables = {
            "DATABASE_URL": url,
            # The limits for people are what would be measured otherwise.
            "CHAT_RATES": "off",
            "DJANGO_SETTINGS_MODULE": "my_project.settings",
            "ENVIRONMENT": "embedded",
            "LOG_LEVEL": "WARNING",
            "PYTHONWARNINGS": "ignore",
            "SECRET_KEY": "for-the-bench-only-and-long-enough-0123456789-abcdefghijklmnopqrstuvwxyz",
            "VAR_DIR": str(directory),
        }
        made = Site(python, directory, variables)
        made.run("manage.py", "migrate", "--verbosity=0")
        made.run("-m", "bench.chat.inside.seed", directory, str(messages))
        yield made
