"""What the peers run on: packages in folders of their own below ``var/bench``, and the versions of everything."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

from bench import load, processes
from bench.peers import Peer

ROOT = Path(__file__).resolve().parent.parent
DIRECTORY = ROOT / "var" / "bench"
_FILES = {"pip": ("requirements.txt",), "npm": ("package.json", "package-lock.json", "server.js"), "cc": ("echo.c",)}


class Absent(Exception):
    """Raised when a peer cannot run on this machine; the message says what is missing."""


def prepare(peer: Peer, given: dict[str, Path]) -> Path:
    """Return the folder of the peer's environment, built where need be. *given*: environments that are there already.

    Raises:
        Absent: something that the peer needs is not on this machine.
    """
    if peer.needs_redis and not find("redis-server"):
        raise Absent("redis-server is not installed")
    if peer.environment in given:
        return given[peer.environment]
    directory = DIRECTORY / peer.environment
    if peer.built_by == "cc":
        try:
            load.compile_c([peer.folder / "echo.c"], directory / "echo")
        except load.ClientError as error:
            raise Absent(str(error)) from error
        return directory
    if peer.built_by == "npm" and not (shutil.which("node") and shutil.which("npm")):
        raise Absent("node and npm are not installed")
    stamp, wanted = directory / "built.sha256", _wanted(peer)
    if stamp.exists() and stamp.read_text() == wanted:
        return directory
    print(f"{peer.environment}: installing into {directory.relative_to(ROOT)}", file=sys.stderr, flush=True)
    shutil.rmtree(directory, ignore_errors=True)
    if peer.built_by == "npm":
        directory.mkdir(parents=True)
        for name in _FILES["npm"]:
            shutil.copy(peer.folder / name, directory)
        _do(peer, ["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], directory)
    else:
        _do(peer, [sys.executable, "-m", "venv", directory])
        pip: list[str | Path] = [directory / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check"]
        _do(peer, [*pip, *peer.pip_options, "-r", peer.folder / "requirements.txt"])
    # Last, so that what was broken off is not taken for complete.
    stamp.write_text(wanted)
    return directory


def _wanted(peer: Peer) -> str:
    texts = [(peer.folder / name).read_bytes() for name in _FILES[peer.built_by]]
    for line in texts[0].decode().splitlines():
        if line.startswith("-r "):
            texts += [(peer.folder / line[3:].strip()).read_bytes()]
    return hashlib.sha256(b"".join([*texts, sys.executable.encode()])).hexdigest()


def _do(peer: Peer, command: list[str | Path], directory: Path | None = None) -> None:
    done = processes.run(command, directory=directory)
    if done.returncode:
        said = done.stdout.strip().splitlines() or ["nothing was said"]
        raise Absent(f"{Path(command[0]).name} could not install it: {said[-1][:300]}")


def find(program: str) -> str | None:
    """Return the path of a program, also one in a directory for administrators."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin")


def versions(peer: Peer, environment: Path) -> dict[str, str]:
    """Return the versions of the peer's packages, and of what runs it."""
    if peer.built_by == "cc":
        return {}
    if peer.built_by == "npm":
        found = {"node": processes.run(["node", "--version"]).stdout.strip().lstrip("v")}
        for name in peer.packages:
            manifest = environment / "node_modules" / name / "package.json"
            if manifest.exists():
                found[name] = json.loads(manifest.read_text())["version"]
        return found
    script = (
        "import json, platform, sys\n"
        "from importlib import metadata\n"
        "have = {d.metadata['Name'].lower().replace('_', '-'): d.version for d in metadata.distributions()}\n"
        "found = {name: have.get(name.lower().replace('_', '-')) for name in sys.argv[1:]}\n"
        "print(json.dumps({'python': platform.python_version()} | {n: v for n, v in found.items() if v}))\n"
    )
    return json.loads(processes.run([environment / "bin" / "python", "-c", script, *peer.packages]).stdout)


def machine() -> dict[str, Any]:
    """Return what the machine is, without its name."""
    cpu = memory = ""
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal:"):
            memory = f"{int(line.split()[1]) / 1024 / 1024:.0f} GiB"
    redis = find("redis-server")
    said = processes.run([redis, "--version"]).stdout if redis else ""
    return {
        "cpu": cpu or "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "memory": memory,
        "kernel": platform.release(),
        "redis": next((word[2:] for word in said.split() if word.startswith("v=")), "not installed"),
    }


def commit() -> str:
    """Return the checked out commit, "+" after it where files differ; empty without git."""
    if not shutil.which("git"):
        return ""
    head = processes.run(["git", "rev-parse", "--short", "HEAD"], directory=ROOT)
    changed = processes.run(["git", "status", "--porcelain", "--untracked-files=no"], directory=ROOT)
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "") if not head.returncode else ""


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
