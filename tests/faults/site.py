"""Everything that runs, real: supervisord with the shipped files, Redis behind a proxy, the database, uploads."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any
from xmlrpc.client import ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from channels_lts.ready import pid_in
from tests import services
from tests.services import wait_for
from tests.supervised import Stack

if TYPE_CHECKING:
    from tests.faults.proxy import Proxy

_SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
    "CHANNEL_LAYER": "redis",
    # The load is no honest client.
    "CHAT_RATES": "off",
    "SUPERVISOR_INCLUDE": "",
    "INTERFACE_PROCESSES": "2",
    "WEB_WORKERS": "2",
    "SOCKET_WORKERS": "2",
    # One may hang.
    "BACKGROUND_WORKERS": "2",
}


class Redis(services.Redis):
    """A Redis that can stop, come back empty on its port, and hold its breath."""

    def restart(self) -> None:
        """End it, and start an empty one in its place."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Let it do nothing more, while its connections stay."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def stop(self, number: int = signal.SIGTERM, timeout: float = 30) -> None:
        if self.process is not None:
            self.resume()
        super().stop(number, timeout)


class Postgres(services.Postgres):
    """A PostgreSQL that can go away and come back with its data."""

    def away(self) -> None:
        """End it as fast as it does properly: its clients are cut off."""
        self.stop()

    def back(self) -> None:
        self.launch()
        self.wait_until(lambda: services.listening(self.port))


class Site:
    """The deployment with all it needs, from :meth:`start` until :meth:`stop`; also a context manager.

    *postgres*: with a PostgreSQL, else the stack's SQLite. *proxied*: Redis is reached through ``redis_proxy``.
    *seed* begins :attr:`random`, from which faults choose. *settings* are environment variables of the stack, on top of
    those here.
    """

    def __init__(
        self, directory: Path, *, postgres: bool = False, proxied: bool = True, seed: int = 0, **settings: str
    ) -> None:
        self.random = random.Random(seed)
        # A directory that PostgreSQL's user can reach, which those of pytest are not.
        self._outside = Path(tempfile.mkdtemp(prefix="channels-faults-"))
        self._outside.chmod(0o755)
        self.directory = directory
        self.media = directory / "media"
        self.redis = Redis(_made(directory / "redis"))
        self.redis_proxy: Proxy | None = None
        if proxied:
            from tests.faults.proxy import Proxy

            self.redis_proxy = Proxy(self.redis.port)
        self.postgres = Postgres(_made(self._outside / "postgres")) if postgres else None
        self._settings = {**_SETTINGS, "MEDIA_ROOT": str(self.media), **settings}
        self.stack: Stack

    def __enter__(self) -> Site:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Site:
        """Start everything; returns when ``/healthz`` is well."""
        try:
            self.redis.start()
            if self.redis_proxy is not None:
                self.redis_proxy.start()
            port = self.redis_proxy.port if self.redis_proxy is not None else self.redis.port
            given = {"REDIS_URL": f"redis://127.0.0.1:{port}/0"}
            if self.postgres is not None:
                self.postgres.start()
                given["DATABASE_URL"] = self.postgres.database("chat")
            self.stack = Stack(_made(self.directory / "stack"), **{**given, **self._settings})
            self.stack.start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End everything that runs, in the order that lets each finish."""
        stack = getattr(self, "stack", None)
        try:
            if stack is not None:
                stack.stop()
        finally:
            for service in (self.redis_proxy, self.redis, self.postgres):
                if service is not None:
                    service.stop()
            shutil.rmtree(self._outside, ignore_errors=True)

    def processes(self) -> dict[str, dict[str, Any]]:
        """Return what supervisord knows of each process, by its name, such as ``workers:web_00``: state, pid, start."""
        known = self._rpc().supervisor.getAllProcessInfo()
        assert isinstance(known, list)
        return {f"{each['group']}:{each['name']}": each for each in known}

    def pids(self, prefix: str = "") -> dict[str, int]:
        """Return the process ids of what runs, of names that begin with *prefix*."""
        return {
            name: each["pid"]
            for name, each in self.processes().items()
            if each["statename"] in ("STARTING", "RUNNING") and name.startswith(prefix)
        }

    def restart(self, name: str) -> float:
        """Have supervisord end process *name* with SIGTERM and start it afresh; returns when that is ready.

        Returns the seconds that the old one took to end.

        Raises:
            AssertionError: it ended with another status than 0, or the new one is not ready in time.
        """
        supervisor, began = self._rpc().supervisor, monotonic()
        supervisor.stopProcess(name)
        took = monotonic() - began
        ended = self.processes()[name]
        assert ended["exitstatus"] == 0, f"{name} ended with status {ended['exitstatus']}"
        supervisor.startProcess(name, False)
        self.wait_ready(name)
        return took

    def wait_ready(self, name: str, old: int = 0, timeout: float = 30) -> int:
        """Wait until process *name* runs, not the *old* one, and has written its ready file; returns its id."""
        file = self.stack.run_directory / f"{name.partition(':')[2]}.ready"

        def ready() -> int:
            pid = self.pids().get(name, 0)
            return pid if pid != old and pid_in(file) == pid else 0

        return wait_for(ready, f"{name} is ready", timeout)

    def kill(self, name: str) -> int:
        """Send SIGKILL to process *name*; returns the id that it had."""
        pid = self.pids()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def visitors_of(self, pid: int) -> set[int]:
        """Return the visitors' ports of the TCP connections that interface server *pid* has to them."""
        descriptors = Path(f"/proc/{pid}/fd").iterdir()
        inodes = {os.readlink(each).removeprefix("socket:[").removesuffix("]") for each in descriptors}
        rows = (line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:])
        ours = ((row[1], row[2]) for row in rows if row[9] in inodes)
        return {_port(remote) for local, remote in ours if _port(local) == self.stack.port}

    def unchanged(self, before: dict[str, int], *, but: tuple[str, ...] = ()) -> None:
        """Make sure that no process of *before* (from :meth:`pids`) ended meanwhile, *but* those."""
        now = self.pids()
        ended = sorted(name for name, pid in before.items() if name not in but and now.get(name) != pid)
        assert not ended, f"these ended: {', '.join(ended)}"

    def _rpc(self) -> Any:
        # Not kept: a connection is not for several threads.
        socket = f"unix://{self.stack.run_directory}/supervisor.sock"
        return ServerProxy("http://127.0.0.1", transport=SupervisorTransport(None, None, socket))


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory
