"""The virtual environment, made from the lock."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path

from embedded.child import run
from embedded.report import Failure, indent, step

# What a line of pip's output tells about the cause, and what to say about it. The first that matches counts.
_NO_COMPILER = (
    r"unable to execute|no acceptable C compiler|\b(cc|gcc|make): not found"
    r"|No such file or directory: '[\w+-]*(cc|gcc|clang|[cg]\+\+)'"
    r"|command '\S*(cc|gcc|clang|[cg]\+\+)' failed: No such file"
)
_NO_INDEX = (
    r"name resolution|Name or service not known|NewConnectionError|ConnectTimeoutError|Network is unreachable"
    r"|ProxyError|SSLError"
)
_CAUSES = {
    _NO_COMPILER: "a package without a wheel for this Python and machine has to be compiled, and there is no compiler:"
    " install one (Debian: apt-get install build-essential python3-dev), or take Python 3.11, 3.12 or 3.13",
    r"Python\.h: No such file": "a package has to be compiled, and Python's header files are missing: install them"
    " (Debian: apt-get install python3-dev)",
    r"DO NOT MATCH THE HASHES": "a downloaded file is not the one that the lock names: empty pip's cache"
    " (pip cache purge), or mistrust the package index",
    r"No space left on device": "the disk is full",
    _NO_INDEX: "the package index cannot be reached: check the network, or pip's index-url and proxy",
    r"No matching distribution found|Could not find a version": "the package index does not offer what the lock names"
    " for this Python: take Python 3.11, 3.12 or 3.13",
}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def install(venv: Path, lock: Path, log: Path) -> None:
    """Bring *venv* to what *lock* says: it is made at need, and pip runs only when the lock changed.

    Raises:
        Failure: the environment cannot be made, or pip fails; *log* holds all it said.
    """
    stamp = venv / f".installed-{lock.name}"
    wanted = digest(lock)
    usable = _usable(venv)
    if usable and stamp.exists() and stamp.read_text() == wanted:
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    if not usable:
        with step(f"making {venv.name} with Python {sys.version.split()[0]}"):
            _create(venv, log)
    with step(f"installing {os.path.relpath(lock, venv.parent)} into {venv.name}"):
        _pip_install(venv, lock, log)
        stamp.write_text(wanted)


def put_on_path(venv: Path, checkout: Path) -> None:
    """Let programs of *venv* find the packages of *checkout*, wherever they are called: supervisorctl its plug-in."""
    for packages in venv.glob("lib/python3*/site-packages"):
        path = packages / "checkout.pth"
        if not path.exists() or path.read_text() != f"{checkout}\n":
            path.write_text(f"{checkout}\n")


def _usable(venv: Path) -> bool:
    """Whether *venv* was made to the end, and with a Python that is still there."""
    return os.access(venv / "bin" / "python", os.X_OK) and (venv / "bin" / "pip").exists()


def _create(venv: Path, log: Path) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        raise Failure(
            f"{sys.executable} cannot make virtual environments: install {package} (Debian: apt-get install {package})"
        )
    shutil.rmtree(venv, ignore_errors=True)
    made = run([sys.executable, "-m", "venv", venv])
    if made.code:
        log.write_text(made.said)
        raise Failure(f"the virtual environment cannot be made; {log} ends with:\n{indent(made.lines[-5:])}")


def _pip_install(venv: Path, lock: Path, log: Path) -> None:
    command: list[str | Path] = [
        venv / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--require-hashes",
        "-r",
        lock,
    ]
    pip = run(command, {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "LC_ALL": "C.UTF-8"})
    log.write_text(pip.said)
    if pip.code:
        raise Failure(explain(pip.said, log))


def explain(output: str, log: Path) -> str:
    """Return what a person needs of what a failed pip said: the cause in one line, then the lines that show it."""
    lines = [line.strip() for line in output.splitlines()]
    sign = next((sign for sign in _CAUSES if any(re.search(sign, line) for line in lines)), None)
    decisive = [line for line in lines if line.lower().startswith("error") or (sign and re.search(sign, line))]
    shown = list(dict.fromkeys(decisive))[-6:] or lines[-6:]
    cause = _CAUSES[sign] if sign else "pip cannot install the lock"
    return f"{cause}\n{indent(shown)}\n    (all of it: {log})"
