"""Child processes: how each of them is run, and with which environment."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

_BENDS_PYTHON = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV"}
_BENDS_PIP = {"PIP_USER", "PIP_TARGET"}
_OF_MAKE = {"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"}


@dataclass(frozen=True)
class Ran:
    """What a command came to: its exit code, and what it said on both of its outputs."""

    code: int
    said: str

    @property
    def lines(self) -> list[str]:
        return self.said.splitlines()


def run(command: list[str | Path], environment: dict[str, str] | None = None, directory: Path | None = None) -> Ran:
    """Run a command to its end, with *environment* on top of ours.

    Raises:
        OSError: there is no such program, or it is not for this machine.
    """
    ran = subprocess.run(  # noqa: S603  (our own command lines)
        command,
        cwd=directory,
        env=inherit(environment),
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    return Ran(ran.returncode, ran.stdout)


def show(command: list[str | Path], environment: dict[str, str] | None = None, directory: Path | None = None) -> int:
    """Run a command as :func:`run` does, but let it speak to the person at the terminal; returns its exit code.

    Ctrl-C is its to heed, as it reaches it too: a rolling restart has a process to start again before it may end.
    """
    # Not SIG_IGN, which it would inherit.
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        return subprocess.run(command, cwd=directory, env=inherit(environment), check=False).returncode  # noqa: S603
    finally:
        signal.signal(signal.SIGINT, before)


def inherit(environment: dict[str, str] | None) -> dict[str, str]:
    """Return *environment* on top of ours, without what would bend the Pythons that we start.

    They are to write their byte code, which the next start needs, and neither an outer virtual environment nor make
    is any of their business.
    """
    unwanted = _BENDS_PYTHON | _BENDS_PIP | _OF_MAKE
    return {name: value for name, value in os.environ.items() if name not in unwanted} | (environment or {})
