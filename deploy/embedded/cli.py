"""setup, up, down, status, logs, roll: what the Makefile calls."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from embedded import environment, prepare, proc
from embedded.environment import Paths
from embedded.install import install, put_on_path
from embedded.processes import Supervisor
from embedded.report import Failure, note


def main(arguments: list[str]) -> int:
    """Run one command; returns its exit code. What a person has done wrong, or misses, is one message and code 1."""
    parser = argparse.ArgumentParser(prog="deploy/embedded", description="The deployment on one machine.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (function, purpose) in _COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose)
        command.set_defaults(function=function)
        if name == "setup":
            command.add_argument("locks", nargs="*", type=Path, metavar="LOCK", help="further locks to install on top")
        if name == "roll":
            command.add_argument("names", nargs="*", metavar="NAME", help="groups or processes; all: all but Redis")
    options = vars(parser.parse_args(arguments))
    try:
        return int(options.pop("function")(environment.find_paths(), **options) or 0)
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def setup(paths: Paths, locks: list[Path]) -> None:
    for lock in (paths.checkout / "requirements-lts.txt", *(lock.resolve() for lock in locks)):
        install(paths.venv, lock, paths.logs / "setup.log")
    put_on_path(paths.venv, paths.checkout)
    prepare.compile_catalogs(paths.checkout, paths.python)


def up(paths: Paths) -> int:
    began = time.monotonic()
    running = _find(paths)
    if running is not None and running.running():
        print(f"already running at {running.site} (pid {running.call('getPID')}); `make down` stops it")
        return running.control("status")
    if running is not None:
        running.stop()
    bind, port = os.environ.get("BIND") or "127.0.0.1", os.environ.get("PORT") or "8000"
    if port.isdecimal():
        proc.require_free_port(bind, int(port), f"make up PORT={_another(bind, int(port))}")
    setup(paths, [])
    chosen = environment.choose(paths)
    if "REDIS_SERVER" in chosen:
        note(f"Redis: {chosen['REDIS_SERVER']}, private, on {chosen['RUN_DIR']}/redis.sock")
    prepare.prepare(paths, chosen)
    environment.save(chosen, paths.env_file)
    supervisor = Supervisor(paths, chosen)
    supervisor.start()
    print(f"ready after {time.monotonic() - began:.1f} s: {supervisor.site}", flush=True)
    return supervisor.control("status")


def _another(bind: str, port: int) -> int:
    """Return a port above *port* that seems free, to propose."""
    for candidate in range(port + 1, min(port + 100, 65536)):
        try:
            proc.require_free_port(bind, candidate, "")
        except Failure:
            continue
        return candidate
    return port + 1


def down(paths: Paths) -> None:
    supervisor = _find(paths)
    stopped = supervisor is not None and supervisor.stop()
    print("stopped" if stopped else "nothing to stop")


def status(paths: Paths) -> int:
    return _running(paths).control("status")


def logs(paths: Paths) -> None:
    files = sorted(str(path) for path in paths.logs.glob("*.log"))
    if not files:
        raise Failure(f"no log in {paths.logs} yet; start with: make up")
    os.execvp("tail", ["tail", "-n", "20", "-F", *files])  # noqa: S606, S607


def roll(paths: Paths, names: list[str]) -> int:
    """Restart processes one at a time, each when the one before it is ready; the workers, if none are named."""
    supervisor = _running(paths)
    if "all" in names:
        # What runs our code. Redis would forget what it holds.
        groups = {info["group"] for info in supervisor.call("getAllProcessInfo")}
        names = [name for name in ("workers", "delay", "wsgi", "daphne") if name in groups]
    return supervisor.control("roll", *(names or ["workers"]))


def _find(paths: Paths) -> Supervisor | None:
    """Return the deployment that was started last, running or not."""
    kept = environment.load(paths.env_file)
    return None if kept is None else Supervisor(paths, kept)


def _running(paths: Paths) -> Supervisor:
    supervisor = _find(paths)
    if supervisor is None or not supervisor.running():
        raise Failure("not running; start with: make up")
    return supervisor


_COMMANDS = {
    "setup": (setup, "make the virtual environment from the lock"),
    "up": (up, "set up, migrate, start everything, wait until it serves"),
    "down": (down, "stop everything"),
    "status": (status, "show the processes"),
    "logs": (logs, "follow all logs"),
    "roll": (roll, "restart the workers, or what is named, one at a time"),
}
