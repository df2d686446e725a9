"""supervisord and what it runs: start, wait until all serve, stop to the last process."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import time
import xmlrpc.client
from collections import defaultdict
from pathlib import Path
from typing import Any

from embedded import proc
from embedded.child import run, show
from embedded.environment import Paths
from embedded.report import Failure, indent, note, step, tail

READY_SECONDS = 90
# supervisord itself waits for each program as long as its stopwaitsecs say; this is only for one that hangs.
STOP_SECONDS = 300
KILL_SECONDS = 10


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(os.fspath(self._path))


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return _UnixConnection(self._path)


def _full_name(info: dict[str, Any]) -> str:
    return info["name"] if info["group"] == info["name"] else f"{info['group']}:{info['name']}"


class Supervisor:
    """The supervisord of one deployment, running or not."""

    def __init__(self, paths: Paths, environment: dict[str, str]) -> None:
        self.paths = paths
        self.environment = environment
        self.socket = Path(environment["RUN_DIR"]) / "supervisor.sock"
        self.url = f"unix://{self.socket}"

        # How long each log was before we started anything.
        self._before: dict[Path, int] = {}
        bind = environment["BIND"]
        self._address = "127.0.0.1" if bind == "0.0.0.0" else bind  # noqa: S104
        self.site = f"http://{self._address}:{environment['PORT']}/"

    def running(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            try:
                connection.connect(os.fspath(self.socket))
            except OSError:
                return False
        return True

    def call(self, method: str, *arguments: Any) -> Any:
        """Call one method of supervisord's XML-RPC interface."""
        proxy = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=_UnixTransport(self.socket))
        with proxy:
            return getattr(proxy.supervisor, method)(*arguments)

    def control(self, *arguments: str) -> int:
        """Run supervisorctl for the person at the terminal; returns its exit code."""
        return show(self._command("supervisorctl", *arguments), self.environment, self.paths.checkout)

    def _command(self, program: str, *arguments: str) -> list[str | Path]:
        module = f"supervisor.{program}"
        return [self.paths.python, "-m", module, "-c", self.paths.supervisor_conf, *arguments]

    def start(self) -> None:
        """Start everything and return when all of it serves.

        Raises:
            Failure: it does not; the message says which process, with the end of its log. Nothing is left running.
        """
        try:
            with step("starting the processes"):
                self._launch()
                self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _launch(self) -> None:
        self._link()
        self._before = {log: log.stat().st_size for log in self.paths.logs.glob("*.log")}
        launched = run(self._command("supervisord"), self.environment, self.paths.checkout)
        if launched.code:
            raise Failure(f"supervisord does not start:\n{indent(launched.lines[-10:])}")
        # It writes its process id only after it has left the terminal, and without that we could not stop it.
        deadline = time.monotonic() + 5
        while self._pid() is None and time.monotonic() < deadline:
            time.sleep(0.02)

    def _link(self) -> None:
        """Let supervisorctl find the socket without an environment: deploy/supervisor/supervisord.conf names this link.

        It does for the deployment in ``var/`` of the checkout. One with a VAR_DIR of its own has its link there.
        """
        new = self.paths.var / f"supervisor.sock.{os.getpid()}"
        new.symlink_to(self.socket)
        new.replace(self.paths.var / "supervisor.sock")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        spawned: defaultdict[str, set[int]] = defaultdict(set)
        said, unfinished = "", ""
        while time.monotonic() < deadline:
            infos = self._infos()
            for name, info in infos.items():
                spawned[name].add(info["pid"])
                # A second try is granted: a worker may be faster than Redis.
                if info["statename"] == "FATAL" or len(spawned[name] - {0}) > 2:
                    raise Failure(self._describe(name, info))
            unfinished = next((name for name, info in infos.items() if info["statename"] != "RUNNING"), "")
            if not unfinished:
                ready, said = _health(self._address, int(self.environment["PORT"]))
                # One of them may have ended meanwhile.
                if ready and all(info["statename"] == "RUNNING" for info in self._infos().values()):
                    return
            time.sleep(0.1)
        if unfinished:
            raise Failure(self._describe(unfinished, infos[unfinished]))
        raise Failure(f"{self.site}healthz is not well after {READY_SECONDS} s: {said}")

    def _infos(self) -> dict[str, dict[str, Any]]:
        try:
            infos = self.call("getAllProcessInfo")
        except (OSError, http.client.HTTPException) as error:
            log = self.paths.logs / "supervisord.log"
            lines = indent(tail(log, 10, self._before.get(log, 0)))
            raise Failure(f"supervisord has ended; its log ends with:\n{lines}") from error
        return {_full_name(info): info for info in infos}

    def _describe(self, name: str, info: dict[str, Any]) -> str:
        log = Path(info["stdout_logfile"])
        lines = indent(tail(log, 15, self._before.get(log, 0))) or "    (nothing)"
        reason = f" ({info['spawnerr']})" if info["spawnerr"] else ""
        return f"{name} does not stay up{reason}; {log} ends with:\n{lines}"

    def stop(self) -> bool:
        """Stop everything, and come back when no process is left; returns whether there was any.

        Raises:
            Failure: a process outlasts even SIGKILL.
        """
        pid = self._pid()
        if pid:
            with step("stopping the processes"):
                os.kill(pid, signal.SIGTERM)
                if not _wait_gone([pid], STOP_SECONDS):
                    _end([pid], KILL_SECONDS)
        return self._stop_leftovers() or bool(pid)

    def _pid(self) -> int | None:
        """Return the process id of supervisord, if it runs: what the pid file of a dead one names may be anybody."""
        pidfile = Path(self.environment["RUN_DIR"]) / "supervisord.pid"
        text = pidfile.read_text().strip() if pidfile.exists() else ""
        if not text.isdecimal() or not proc.is_supervisord(int(text), self.environment["RUN_DIR"]):
            return None
        return int(text)

    def _stop_leftovers(self) -> bool:
        left = proc.children_of(self.url)
        if left:
            note(f"ending what a supervisord left behind: {', '.join(f'{proc.name(pid)} ({pid})' for pid in left)}")
            _end(left, KILL_SECONDS)
        return bool(left)


def _health(bind: str, port: int) -> tuple[bool, str]:
    # Not by urllib, which would ask a proxy for it.
    connection = http.client.HTTPConnection(bind, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status == 200, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return False, str(error)
    finally:
        connection.close()


def _end(pids: list[int], seconds: float) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in filter(proc.alive, pids):
            os.kill(pid, number)
        if _wait_gone(pids, seconds):
            return
    raise Failure(f"still alive after SIGKILL: {[pid for pid in pids if proc.alive(pid)]}")


def _wait_gone(pids: list[int], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(proc.alive, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
