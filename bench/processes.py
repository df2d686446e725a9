"""Child processes: started with a core to run on, and ended with us. Nothing else is ever ended."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

_PR_SET_PDEATHSIG = 1
_TICKS = os.sysconf("SC_CLK_TCK")
_BENDS_PYTHON = {"DJANGO_SETTINGS_MODULE", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"}


def variables(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment without what would lead a child to another Python or project, and *extra* on top."""
    kept = {name: value for name, value in os.environ.items() if name not in _BENDS_PYTHON}
    return kept | dict(extra or {})


def raise_open_files() -> None:
    """Take as many file descriptors as we may have; children inherit it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run(
    command: list[str | Path], *, directory: Path | None = None, timeout: float = 900
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; ``stdout`` has what it said on both outputs."""
    return subprocess.run(  # noqa: S603  (our own command lines)
        command, cwd=directory, env=variables(), check=False, timeout=timeout, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def start(
    command: list[str | Path],
    *,
    cores: set[int] | None = None,
    output: IO[bytes] | None = None,
    environment: Mapping[str, str] | None = None,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start a process on *cores* (None: on any). Ctrl-C at our terminal is ours alone; our end is its end too."""
    program = shutil.which(str(command[0])) or str(command[0])

    def prepare() -> None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if cores:
            os.sched_setaffinity(0, cores)

    streams: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": output,
        "stderr": output or subprocess.PIPE,
    } | options
    return subprocess.Popen(  # noqa: S603  (our own command lines)
        [program, *command[1:]], env=variables(environment), start_new_session=True, preexec_fn=prepare, **streams
    )


def stop(process: subprocess.Popen[bytes], *, patience: float = 5) -> None:
    """End a process that :func:`start` started: SIGTERM, and SIGKILL after *patience* seconds."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()


def cpu_seconds(session: int) -> float:
    """Processor time used by the process that :func:`start` made with this id, and by those that it started."""
    fields = (stat.rpartition(")")[2].split() for stat in _session(session, "stat"))
    return sum(int(each[11]) + int(each[12]) for each in fields) / _TICKS


def machine_cpu_seconds() -> float:
    """Processor time that everything on this machine has used."""
    with open("/proc/stat") as stat:
        user, nice, system, _idle, _wait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICKS


def resident_kib(session: int) -> int:
    """Resident memory of the process that :func:`start` made with this id, and of those that it started, KiB."""
    lines = (line for status in _session(session, "status") for line in status.splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def _session(session: int, name: str) -> list[str]:
    """Return a file of /proc for each process of a session: :func:`start` gives each one of its own."""
    texts = []
    for directory in Path("/proc").glob("[0-9]*"):
        # Any of them may end while we look.
        with contextlib.suppress(OSError):
            if os.getsid(int(directory.name)) == session:
                texts.append((directory / name).read_text())
    return texts
